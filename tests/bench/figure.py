"""One line of the results."""

from typing import NamedTuple


class Figure(NamedTuple):
    """What was measured, beside the bare limit of the same run; `met` is None where no target is set."""

    what: str
    ours: str
    bare: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def row(self) -> str:
        """A row of a Markdown table."""
        verdict = "" if self.met is None else "yes" if self.met else "**no**"
        return f"| {self.what} | {self.ours} | {self.bare} | {self.ratio} | {self.target} | {verdict} |"
