"""Workload: how long calls keep a seat busy, by seat in the last hour and by hour of the week."""

from dataclasses import dataclass


@dataclass(slots=True)
class Workload:
    """The conversations of one centre. Part of the state of calls."""

    def spoke(self, seat: str | None, answered: float, ended: float) -> None:
        """One conversation is over; epoch seconds."""
