"""How a state that an older version wrote becomes one of this version: a step from each version to the next.

Steps are kept for the last two versions. One is a function of what was written, and of nothing else. What the older version could
not know it cannot make up: of which nouns that is so, the step says, and those are folded from the log where it still holds all.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from streams.core.nouns import STATE_VERSION

Change = Callable[[dict[str, Any]], None]
"""Changes a state, as it was written in JSON without what is default, in place."""


class Step(NamedTuple):
    """What changed between a version and the next, by noun."""

    changes: Mapping[str, Change] = {}
    """How what was written becomes what the next version writes; a noun without one is written as before."""
    unknown: frozenset[str] = frozenset()
    """Nouns of which the older version let something pass that the next one remembers."""


def _weigh_districts(state: dict[str, Any]) -> None:
    """A ticket takes 15 bytes more as it is written, for the district that nobody had noted."""
    desk = state.get("desk", {})
    for ticket in desk.get("tickets", {}).values():
        if ticket.get("size"):
            ticket["size"] += 15
            desk["size"] += 15


def _keep_fewer_pranks(state: dict[str, Any]) -> None:
    """Of a caller the newest 14 pranks are kept, and not 16."""
    for times in state.get("callers", {}).get("pranks", {}).values():
        del times[:-14]


STEPS: Mapping[int, Step] = {
    # Which districts calls and tickets came from, for psap_burst_district_ratio.
    8: Step({"dispatch": _weigh_districts}, frozenset({"calls", "dispatch"})),
    # Names of callers under a former key: nobody had two.
    9: Step({"calls": _keep_fewer_pranks}),
}
"""By the version that they begin from."""


def migrate(noun: str, version: int, blob: bytes) -> bytes:
    """The state of a noun that a version of `STEPS` wrote, as this one writes it. Raises `ValueError` for what is no state."""
    changes = [step.changes[noun] for step in _steps(version) if noun in step.changes]
    if not changes:
        return blob
    state = json.loads(blob)
    for change in changes:
        change(state)
    return json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode()


def is_complete(noun: str, version: int) -> bool:
    """Whether a migrated state is the one that this version would have folded from the same events."""
    return not any(noun in step.unknown for step in _steps(version))


def _steps(version: int) -> list[Step]:
    return [STEPS[each] for each in range(version, STATE_VERSION)]
