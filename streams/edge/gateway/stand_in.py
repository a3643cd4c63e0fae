"""The alert that stands in for one that no silence may mute, under labels that no silence matches.

Alertmanager mutes by labels alone, and takes no silence that would match an alert without any. So whatever silences there are,
what bears none of the labels that they ask for is told. It never bears a name: the alert that it stands for is routed to nobody
by that. Without a severity it goes where pages go.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from streams.edge.gateway.silences import Labels, Silence

NEVER_MUTED = "PagesSilenced"
"""The alert that says that hardly any page goes out."""

STANDS_FOR = "stands_for"
"""The annotation of one that stands in: the fingerprint of the alert that it stands for."""


def stand_in(alert: Mapping[str, Any], silences: Collection[Silence]) -> dict[str, Any]:
    """What to tell Alertmanager in place of `alert`, as it holds it, while these silences are in force."""
    said = {name: alert[name] for name in ("startsAt", "endsAt", "generatorURL") if name in alert}
    notes = {**alert["annotations"], STANDS_FOR: alert["fingerprint"]}
    nameless = {name: text for name, text in alert["labels"].items() if name != "alertname"}
    return said | {"labels": _unmatched(nameless, silences), "annotations": notes}


def _unmatched(labels: Labels, silences: Collection[Silence]) -> dict[str, str]:
    """As many of the labels as no silence matches; one whose name nobody could ask for where all are asked for."""
    left = dict(labels)
    while muting := [silence for silence in silences if silence.mutes(left)]:
        asked = set[str]().union(*(silence.asks_for for silence in muting)) & left.keys()
        if not asked:  # a pattern that is read otherwise here
            left.clear()
        for name in asked:
            del left[name]
        if not left:
            # Made of all silences, so that it is older than the name.
            every = ",".join(sorted(silence.id for silence in silences))
            return {f"silenced_{hashlib.sha256(every.encode()).hexdigest()[:8]}": "1"}
    return left
