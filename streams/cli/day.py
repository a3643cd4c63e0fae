"""The verbs in the order of a day, as `pantau112 --help` lists them."""

from typing import Any

from typer.core import TyperGroup

PARTS = {
    "What runs": ("up", "doctor", "worker", "gateway", "edge", "wall"),
    "What comes in": ("ingest", "dead-letters"),
    "What people ask and decide": ("measure", "report", "export", "replay", "backfill", "whatif", "staffing", "callers"),
    "What is set up or changed": ("topics", "boards", "upgrade"),
}


class Day(TyperGroup):
    """The verbs by what they are for; what runs comes first."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every verb once."""
        ordered = [verb for verbs in PARTS.values() for verb in verbs]
        return [verb for verb in ordered if verb in self.commands]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A list for each part of the day, all as wide as the longest verb."""
        widest = max(map(len, self.commands))
        for part, verbs in PARTS.items():
            with formatter.section(part):
                short = [(verb, self.commands[verb].get_short_help_str(formatter.width)) for verb in verbs]
                formatter.write_dl([(verb.ljust(widest), says) for verb, says in short])
