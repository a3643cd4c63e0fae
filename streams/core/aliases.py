"""Aliases: what a caller was called under a former key, and is called since. Part of the state of calls."""

from collections.abc import Collection
from dataclasses import dataclass, field

MOST = 450
"""The most aliases kept, the newest: 17 kB as they are written. Of an older one what is told under the former name alone stands
under that until the caller is told of under both once more.
"""

_FORMER = 9
"""Characters (54 bits) kept of a former name."""


@dataclass(slots=True)
class Aliases:
    """Names of callers under former keys. No name that a caller has now is one of them, so none leads to another."""

    names: dict[str, str] = field(default_factory=dict)

    def name(self, caller: str) -> str:
        """What everything that is remembered calls the caller."""
        return self.names.get(caller[:_FORMER], caller)

    def join(self, before: str, caller: str) -> tuple[str, str] | None:
        """Two names are one caller's. Returns the one to take everything from and the one to give it to; None if they are one."""
        old, new = self.name(before), self.name(caller)
        if old == new:
            return None
        for former, name in self.names.items():
            if name == old:
                self.names[former] = new
        if len(self.names) >= MOST:
            del self.names[next(iter(self.names))]
        self.names[old[:_FORMER]] = new
        return old, new

    def forms(self, names: Collection[str]) -> set[str]:
        """How these names begin, and their former ones."""
        return {name[:_FORMER] for name in names} | {former for former, now in self.names.items() if now in names}

    def forget(self, name: str) -> None:
        """Nothing is known of this caller any more."""
        self.names = {former: now for former, now in self.names.items() if former != name[:_FORMER] and now != name}
