"""What the tool of `make alarms` does to what a Prometheus answers."""

import itertools
from collections.abc import Iterable

import promql_parser
from hypothesis import given
from hypothesis import strategies as st

from tests.alarms.firing import episodes, rules
from tests.alarms.scrapes import Wanted
from tests.dashboards.names import nodes

STEP = 30


def as_prometheus_has_it(held: set[int], end: int, hold: int, keep: int) -> set[int]:
    """The evaluations at which an alert fires, by the states of rules/alerting.go, one evaluation after the other."""
    firing, active_at, silent_since, fires = set(), None, None, False
    for moment in range(0, end, STEP):
        if moment in held:
            silent_since = None
            active_at = moment if active_at is None else active_at
            fires = fires or moment - active_at >= hold
        else:
            silent_since = moment if silent_since is None else silent_since
            if not fires or moment - silent_since >= keep:
                active_at, fires = None, False
        if fires:
            firing.add(moment)
    return firing


def evaluations(found: Iterable[tuple[int, int]]) -> set[int]:
    return {moment for start, end in found for moment in range(start, end + STEP, STEP)}


@given(st.sets(st.integers(0, 40)), st.sampled_from([0, 15, 30, 60, 100, 300]), st.sampled_from([0, 15, 30, 60, 100, 300]))
def test_an_alert_fires_at_the_evaluations_at_which_prometheus_has_it_fire(steps: set[int], hold: int, keep: int) -> None:
    held = {step * STEP for step in steps}

    found = list(episodes(sorted(held), hold, keep, STEP))

    assert evaluations(found) == as_prometheus_has_it(held, 60 * STEP, hold, keep)
    assert found == sorted(found)
    assert all(later[0] > earlier[1] for earlier, later in itertools.pairwise(found))


def test_recording_rules_are_written_out_where_alerts_use_them() -> None:
    named = {node.name for rule in rules() for node in nodes(promql_parser.parse(rule.expr)) if hasattr(node, "name")}

    assert "psap_journey_wait_seconds_bucket" in named
    assert not [name for name in named if name and name.startswith("city:")]


def test_only_series_that_an_expression_selects_are_written() -> None:
    wanted = Wanted(['sum(rate(psap_wait_bucket{le="15.0",queue!~"a|b"}[5m])) / on () psap_open{rung=~"[0-9]+m"}'])

    assert wanted.families() >= {"psap_wait", "psap_open"}
    assert 'psap_wait_bucket{city="32.71",queue="c",le="15.0"}' in wanted
    assert 'psap_wait_bucket{city="32.71",queue="a",le="15.0"}' not in wanted
    assert 'psap_wait_bucket{city="32.71",queue="c",le="30.0"}' not in wanted
    assert 'psap_open{city="32.71",rung="7m"}' in wanted
    assert 'psap_open{city="32.71",rung="24h"}' not in wanted
    assert "psap_other" not in wanted
