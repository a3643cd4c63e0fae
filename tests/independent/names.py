"""Names: how often something was called what the centre's file does not know."""

from collections import Counter

from tests.independent.history import Figures, History

AT_EVERY_TELLING = {
    "category": ("category", "categories"),
    "opd": ("opd", "opds"),
    "to": ("opd", "opds"),
    "reason": ("reason", "reasons"),
}
WHEN_FIRST_TOLD = {"link": ("link", "links"), "gauge": ("gauge", "gauges"), "seat": ("seat", "seats")}


class Strangers:
    """When something was told under a name that is none of the file's, and of what kind it is."""

    def __init__(self, history: History) -> None:
        self.told: list[tuple[int, str]] = []
        first: set[tuple[str, str]] = set()
        for event in history.of("call"):
            if event.type in {"call.offered", "call.queued"} and event.data.get("direction") != "outbound":
                self._hear(history, event.time, "queue", "queues", event.data["queue"])
        for event in history.of("ticket", "operator", "link", "gauge"):
            for field, (kind, part) in (AT_EVERY_TELLING | WHEN_FIRST_TOLD).items():
                name = event.data.get(field)
                if name is not None and (field in AT_EVERY_TELLING or (field, name) not in first):
                    first.add((field, name))
                    self._hear(history, event.time, kind, part, name)

    def _hear(self, history: History, time: int, kind: str, part: str, name: str) -> None:
        if history.named(part) and history.label(part, name) == "other":
            self.told.append((time, kind))


def figures(strangers: Strangers, now: int) -> Figures:
    """How many names up to `now` were none of the file's, by kind."""
    unknown = Counter(kind for time, kind in strangers.told if time <= now)
    return {("psap_names_unknown_total", kind): n for kind, n in unknown.items()}
