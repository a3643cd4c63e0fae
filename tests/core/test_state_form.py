"""What is stored of a state is read by the next version, or not at all: a changed form needs a higher STATE_VERSION."""

import json
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from pydantic import TypeAdapter

from schemas.topics import TOPIC_OF
from streams.core.nouns import NOUNS, STATE_VERSION
from streams.sources import simulate
from tests.builders import BOGOR

GOLDEN = Path(__file__).with_name("golden") / "state.json"


def form() -> dict[str, str]:
    """By noun, a hash of the fields of its state and of what is stored of it after a simulated day."""
    states = {noun: module.State() for noun, module in NOUNS.items()}
    for offset, event in enumerate(simulate.events(112, datetime(2026, 1, 4, 17, tzinfo=UTC), BOGOR)):
        noun = TOPIC_OF[event.type].noun
        states[noun].ledger.admit(offset, event.source, event.id, event.time.timestamp())
        NOUNS[noun].step(states[noun], event, event.time.timestamp(), BOGOR)
    forms = {}
    for noun, state in states.items():
        blob = TypeAdapter(NOUNS[noun].State)
        fields = json.dumps(blob.json_schema(), sort_keys=True).encode()
        forms[noun] = blake2b(fields + blob.dump_json(state, exclude_defaults=True), digest_size=8).hexdigest()
    return forms


def test_a_state_is_written_as_its_version_writes_it() -> None:
    recorded = json.loads(GOLDEN.read_text())
    changed = sorted(noun for noun, said in form().items() if recorded["form"].get(noun) != said)
    assert recorded["version"] == STATE_VERSION, "`make docs` records the new form"
    assert changed == [], (
        "raise STATE_VERSION in streams/core/nouns.py, write a step in streams/worker/migrations.py, then `make docs`"
    )


if __name__ == "__main__":
    if not GOLDEN.exists() or json.loads(GOLDEN.read_text())["version"] < STATE_VERSION:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps({"version": STATE_VERSION, "form": form()}, indent=2) + "\n")
