"""PromQL where a board fills something in. A query with nothing to fill in is a plain string, as Prometheus is asked it."""

from typing import Literal, NamedTuple


class Matcher(NamedTuple):
    """How a label is compared where not by equality: `Matcher("=~", "60m|today")`."""

    operator: Literal["!=", "=~", "!~"]
    value: str


def select(metric: str, **labels: str | Matcher) -> str:
    """The series of a metric with such labels: `select("up", job="pantau112")` is `up{job="pantau112"}`."""
    matchers = [
        f'{label}="{wanted}"' if isinstance(wanted, str) else f'{label}{wanted.operator}"{wanted.value}"'
        for label, wanted in labels.items()
    ]
    return metric + "{" + ",".join(matchers) + "}" if matchers else metric


def of_city(metric: str, **labels: str | Matcher) -> str:
    """The same of the centre that the board shows: `of_city("psap_link_up")` is `psap_link_up{city="$city"}`."""
    return select(metric, city="$city", **labels)


def firing(**labels: str | Matcher) -> str:
    """The alerts with such labels that fire, without the Watchdog, which always does."""
    return select("ALERTS", alertstate="firing", alertname=Matcher("!=", "Watchdog"), **labels)


def with_label(expr: str, label: str, value: str) -> str:
    """What an expression finds, each with one more label."""
    return f'label_replace({expr}, "{label}", "{value}", "", "")'


def joined(expr: str, label: str, labels: list[str], between: str = " · ") -> str:
    """What an expression finds, each with one more label, which has the values of others with something between them."""
    names = "".join(f', "{name}"' for name in labels)
    return f'label_join({expr}, "{label}", "{between}"{names})'


def beyond(expr: str, most: int, label: str) -> str:
    """One series where an expression finds more than `most`: its label says how many more, as `+ 3`."""
    counted = f'count_values("n", count({expr}) - {most} > 0)'
    return f'max by ({label}) (label_replace({counted}, "{label}", "+ $1", "n", "(.*)"))'
