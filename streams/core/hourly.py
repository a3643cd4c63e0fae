"""Sums by hour of the last five weeks: what an hour of the week is like is said of the five that there were."""

from dataclasses import dataclass, field

HOUR = 3600
WEEK_HOURS, DAY_HOURS = 168, 24
HOURS = 5 * WEEK_HOURS
"""Hours that are remembered."""


@dataclass(slots=True)
class Hourly:
    """One whole number for each hour (epoch seconds // 3600) from the `first` to the newest that was told, `HOURS` at most.

    An hour of the week is one 168 hours later, and so the same local hour wherever clocks are never changed, as in Indonesia.
    """

    first: int = 0
    sums: list[int] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The newest hour; one before the first where there is none."""
        return self.first + len(self.sums) - 1

    def add(self, hour: int, n: int) -> None:
        """Add to an hour, in whatever order they come; one that is older than what is remembered is passed over."""
        place = hour - self.first
        if 0 <= place < len(self.sums):
            self.sums[place] += n
        elif not self.sums or hour >= self.last + HOURS:
            self.first, self.sums = hour, [n]
        elif place > 0:
            self.sums += [*[0] * (place - len(self.sums)), n]
            self.first += max(0, len(self.sums) - HOURS)
            del self.sums[:-HOURS]
        elif self.last - hour < HOURS:
            self.sums[:0] = [n, *[0] * (-place - 1)]
            self.first = hour

    def __deepcopy__(self, _memo: object) -> "Hourly":
        # Else every number would be looked at.
        return Hourly(self.first, [*self.sums])

    def like(self, hour: int, stride: int) -> range:
        """The remembered hours that are whole strides from an hour: of the week, of the day, or any. The newest is not over."""
        return range(self.first + (hour - self.first) % stride, self.last, stride)

    def over(self, hours: range) -> int:
        """The sum over such hours."""
        found = part(hours, self.first, self.last)
        return sum(self.sums[found.start - self.first : found.stop - self.first : found.step]) if found else 0


def part(hours: range, first: int, last: int) -> range:
    """Those of some hours that are not before the first nor after the last."""
    skipped = max(0, -((hours.start - first) // hours.step))
    return range(hours.start + skipped * hours.step, min(hours.stop, last + 1), hours.step)
