"""Whether the workers of two versions say the same of one moment, figure by figure."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPException
from typing import NamedTuple
from urllib.request import urlopen

from streams.worker.monitor import METRICS

ANSWER_SECONDS = 60.0
TRIES = 5
"""So often two versions are compared: while events come, one is always a few of them ahead. What differs each time differs."""

PAUSE_SECONDS = 1.0

NAMES = frozenset(metric.name for metric in METRICS)
"""What is said of centres. Of itself each worker says its own."""

Figures = Mapping[str, str]
"""By series, with its labels, its value as it is written."""


class NoAnswerError(Exception):
    """A worker does not say its figures."""


class Agreement(NamedTuple):
    """What two versions say: how many figures are equal; those that differ, with both values; and those that only one says."""

    equal: int
    differing: Mapping[str, tuple[str, str]]
    only_old: Figures
    only_new: Figures

    @property
    def is_whole(self) -> bool:
        """Whether the new version says all that the old one does, and the same. What it says beyond that is why it is new."""
        return not self.differing and not self.only_old


def figures(pages: Iterable[str]) -> dict[str, str]:
    """The figures of centres on pages of `/metrics`: totals, histograms and all others."""
    lines = [line.rpartition(" ") for page in pages for line in page.splitlines() if line and not line.startswith("#")]
    return {series: value for series, _, value in lines if series.startswith("psap_") or series.partition("{")[0] in NAMES}


def compare(old: Figures, new: Figures) -> Agreement:
    """What two versions say."""
    both = old.keys() & new.keys()
    differing = {series: (old[series], new[series]) for series in sorted(both) if float(old[series]) != float(new[series])}
    return Agreement(
        len(both) - len(differing),
        differing,
        {series: old[series] for series in sorted(old.keys() - both)},
        {series: new[series] for series in sorted(new.keys() - both)},
    )


def agree(ask: Callable[[float], tuple[Figures, Figures]], wait: Callable[[float], None] = time.sleep) -> Agreement:
    """Compare two versions, of which `ask` says what they say of a moment in epoch seconds, until they agree or have been asked
    often enough. Then only that differs which did each time.
    """
    found = compare(*ask(time.time()))
    for _ in range(TRIES - 1):
        if found.is_whole:
            break
        wait(PAUSE_SECONDS)
        again = compare(*ask(time.time()))
        found = again._replace(
            differing={series: values for series, values in again.differing.items() if series in found.differing},
            only_old={series: value for series, value in again.only_old.items() if series in found.only_old},
        )
    return found


class Workers(NamedTuple):
    """Workers by their addresses (host:port of `/metrics`): those of the old version, which speak, and those beside."""

    old: Sequence[str]
    new: Sequence[str]

    @classmethod
    def at(cls, addresses: Sequence[str]) -> "Workers":
        """Find out which are which. Raises `NoAnswerError`."""
        beside = {address for address, page in zip(addresses, _pages(addresses), strict=True) if "\npantau112_standby 1" in page}
        return cls([each for each in addresses if each not in beside], [each for each in addresses if each in beside])

    def say(self, at: float) -> tuple[Figures, Figures]:
        """What both versions say of one moment, asked at the same time. Raises `NoAnswerError`."""
        pages = _pages([*self.old, *self.new], at)
        return figures(pages[: len(self.old)]), figures(pages[len(self.old) :])


def _pages(addresses: Sequence[str], at: float | None = None) -> list[str]:
    query = "" if at is None else f"?at={datetime.fromtimestamp(at, UTC).isoformat(timespec='seconds').replace('+00:00', 'Z')}"

    def page(address: str) -> str:
        try:
            with urlopen(f"http://{address}/metrics{query}", timeout=ANSWER_SECONDS) as answer:
                text: str = answer.read().decode()
                return text
        except (OSError, HTTPException) as error:
            raise NoAnswerError(f"no worker says its figures at http://{address}/metrics ({type(error).__name__})") from None

    with ThreadPoolExecutor(max(1, len(addresses))) as pool:
        return list(pool.map(page, addresses))
