"""The tickets of a report are those that the core counted, by category and by agency."""

from streams.analysis.report.dispatch import Tickets
from streams.core.dispatch import CLOSED_TOTAL, OPENED_TOTAL, PASSED_ON_TOTAL, REOPENED_TOTAL, RESPONSE_SECONDS
from tests.analysis.report.builders import reported
from tests.analysis.report.simulated import of_core, rows, simulated
from tests.builders import acknowledged, closed, offered, opened, passed_on, reopened, sent, unit_arrived
from tests.trial import KOTA_BOGOR


def test_simulated_days_have_the_counts_of_the_core() -> None:
    found = simulated()
    tickets = {(row.by, row.code): row for row in rows(found, Tickets)}
    core = of_core(found, found.hindsight.moment or 0)

    assert {code: row.opened for (by, code), row in tickets.items() if by == "category" and row.opened} == core.by_label(
        OPENED_TOTAL
    )
    of_agencies = {code: row for (by, code), row in tickets.items() if by == "opd"}
    for metric, name in ((CLOSED_TOTAL, "closed"), (REOPENED_TOTAL, "reopened"), (PASSED_ON_TOTAL, "passed_on")):
        assert {opd: n for opd, row in of_agencies.items() if (n := getattr(row, name))} == core.by_label(metric)
    for opd, row in of_agencies.items():
        responses = core.histogram(RESPONSE_SECONDS, opd)
        assert row.responses == sum(responses.counts)
        assert row.response_mean is None or abs(row.response_mean * row.responses - responses.sum) < 1e-3
    whole = tickets["city", "*"]
    assert whole.opened == sum(row.opened for row in rows(found, Tickets, "part") if row.by == "city") > 50
    assert whole.responses == sum(row.responses for row in of_agencies.values()) > 50


def test_tickets_count_where_they_were_and_answers_where_they_came_from() -> None:
    found = reported(
        [
            *(opened("t1", 0), sent("t1", 0, "bpbd"), acknowledged("t1", 30, "bpbd"), passed_on("t1", 60, "damkar", "bpbd")),
            *(acknowledged("t1", 360), unit_arrived("t1", 600), closed("t1", 900), reopened("t1", 2_000), closed("t1", 2_500)),
            *(opened("t2", 100, "kesehatan"), sent("t2", 100, "dinkes"), closed("t3", 50), closed("t4", 9_000)),
        ],
        "tickets",
    )

    def counts(by: str) -> dict[str, tuple[object, ...]]:
        return {
            row.code: (row.opened, row.reopened, row.closed, row.still_open, row.unmatched, row.unreached, row.passed_on)
            for row in rows(found, Tickets)
            if row.by == by
        }

    assert counts("city") == {"*": (2, 1, 2, 1, 2, 1, 1)}
    assert counts("category") == {"kebakaran": (1, 1, 2, 0, 0, 1, 1), "kesehatan": (1, 0, 0, 1, 0, 0, 0)}
    assert counts("opd") == {
        "bpbd": (0, 0, 0, 0, 0, 0, 1),
        "damkar": (1, 1, 2, 0, 0, 1, 0),
        "dinkes": (1, 0, 0, 1, 0, 0, 0),
        "none": (0, 0, 0, 0, 2, 0, 0),
    }
    took = {row.code: (row.responses, row.response_mean, row.response_p90) for row in rows(found, Tickets) if row.by == "opd"}
    assert took["bpbd"] == (1, 30, 30)
    assert took["damkar"] == (1, 300, 300)
    assert took["dinkes"] == (0, None, None)


def test_all_centres_together_have_the_tickets_of_each() -> None:
    other = KOTA_BOGOR.model_copy(update={"code": "32.01"})
    here = [
        offered("c1", 0),
        opened("t1", 10),
        sent("t1", 20),
        acknowledged("t1", 80),
        unit_arrived("t1", 600),
        closed("t1", 700),
    ]
    there = [event.model_copy(update={"subject": other.code}) for event in here]

    found = reported([*here, *there], centres=[KOTA_BOGOR, other])

    tickets = {(row.city, row.by, row.code): (row.opened, row.closed, row.responses) for row in rows(found, Tickets)}
    assert tickets["*", "city", "*"] == (2, 2, 2)
    assert tickets["*", "opd", "damkar"] == (2, 2, 2)
    assert tickets["32.71", "opd", "damkar"] == tickets["32.01", "category", "kebakaran"] == (1, 1, 1)
