"""Follows what exchanges tell of their calls, and fails where it is no complete story."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from schemas.calls import CallEvent, ExchangeRestarted
from schemas.event import Event

Key = tuple[str, str]
"""A source and a call's id there."""


@dataclass
class Story:
    """One call: where it is (`announced`, `waits`, `between` queues, `rings` at a seat, `dialled`, `talks`, `over`)."""

    direction: str
    at: str
    came: str
    """The queue that it was for when it was offered; `queue` is where it was last."""
    queue: str | None = None
    seat: str | None = None
    since: float = 0.0
    leg: str | None = None
    """The consultation's id under which it goes on."""
    verbs: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """What became of the caller: a class of the loss funnel, where short abandons are abandons."""
        if "answered" in self.verbs:
            return "answered"
        if self.verbs == ["offered", "abandoned"]:
            return "announcement"
        last = self.verbs[-1]
        return "overflowed" if last == "ended" else last


class Referee:
    """All calls so far, by source and id; `joined` says of a consultation's id whose call goes on under it."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.stories: dict[Key, Story] = {}
        self.joined: dict[Key, Key] = {}
        self.lost: set[Key] = set()
        self.talking: dict[str, Key] = {}
        for event in events:
            self.see(event)

    def see(self, event: Any) -> None:
        """One event more."""
        if isinstance(event, ExchangeRestarted):
            for one, open_one in self.stories.items():
                if one[0] == event.source:
                    self.lost.add(one)
                    if open_one.at == "talks":
                        self._frees(open_one)
                    if open_one.at not in {"over", "passed"}:
                        open_one.at = "over"
                        open_one.verbs.append("lost")
        elif isinstance(event, CallEvent):
            key = (event.source, event.data.call)
            assert key not in self.lost, "told after the restart"
            story = self.stories.get(self.joined.get(key, key))
            if event.type == "call.offered":
                assert story is None, "offered again"
                at = {"inbound": "announced", "outbound": "dialled", "internal": "waits"}[(event.data.direction or "inbound")]
                story = self.stories[key] = Story((event.data.direction or "inbound"), at, event.data.queue, event.data.queue)
                assert event.data.journey == (event.data.call if at == "waits" else None)
            assert story is not None, "told before it was offered"
            if event.type == "call.transferred" and key not in self.joined and event.data.journey not in {None, key[1]}:
                self._hand_over(event, key, story)
                return
            assert event.data.journey == self._journey(key, story)
            assert story.leg in {None, key[1]}, "told under the id of before"
            getattr(self, f"_{event.type.partition('.')[2]}")(event, key, story)
            story.verbs.append(event.type.partition(".")[2])

    def _journey(self, key: Key, story: Story) -> str | None:
        if key in self.joined:
            return self.joined[key][1]
        return key[1] if story.direction == "internal" else None

    def _offered(self, event: Any, key: Key, story: Story) -> None:
        pass

    def _queued(self, event: Any, key: Key, story: Story) -> None:
        assert story.at in {"announced", "between", "passed"}
        story.at, story.queue = "waits", event.data.queue

    def _answered(self, event: Any, key: Key, story: Story) -> None:
        assert story.at in {"waits", "rings", "dialled"}
        assert event.data.queue == (None if story.at == "rings" else story.queue)
        assert event.data.seat not in self.talking, "a seat in two calls"
        if story.at == "rings":
            assert event.data.seat == story.seat
        self.talking[event.data.seat] = key
        story.at, story.seat, story.since = "talks", event.data.seat, event.time.timestamp()

    def _lets_go(self, event: Any, story: Story) -> None:
        assert story.at == "talks"
        assert (event.data.seat, event.data.queue or story.queue) == (story.seat, story.queue)
        assert event.data.talk_seconds == pytest.approx(event.time.timestamp() - story.since, abs=0.002)
        self._frees(story)

    def _frees(self, story: Story) -> None:
        assert story.seat is not None
        del self.talking[story.seat]

    def _ended(self, event: Any, key: Key, story: Story) -> None:
        if story.at != "between":
            self._lets_go(event, story)
        story.at = "over"

    def _transferred(self, event: Any, key: Key, story: Story) -> None:
        self._lets_go(event, story)
        if event.data.to.startswith("seat-"):
            story.at, story.seat = "rings", event.data.to
        else:
            story.at = "passed"

    def _hand_over(self, event: Any, key: Key, asking: Story) -> None:
        """A consultation's id takes the place of the seat that asked."""
        caller = (event.source, event.data.journey)
        story = self.stories[caller]
        self._lets_go(event, story)
        assert asking.direction == "internal"
        assert event.data.to == asking.queue
        story.at, story.queue = asking.at, asking.queue
        if asking.at == "talks":
            story.seat, story.since = asking.seat, asking.since
            story.leg = key[1]
            self.joined[key] = caller
        else:
            assert asking.at == "waits"
        asking.at = "over"
        asking.verbs.append("handed over")
        story.verbs.append("handed over")

    def _overflowed(self, event: Any, key: Key, story: Story) -> None:
        assert (story.at, event.data.queue) == ("waits", story.queue)
        story.at = "between"

    def _abandoned(self, event: Any, key: Key, story: Story) -> None:
        assert story.at in {"announced", "waits", "between", "rings", "dialled"}
        assert event.data.queue == (story.queue if story.at in {"waits", "dialled"} else None)
        story.at = "over"

    def _network_dropped(self, event: Any, key: Key, story: Story) -> None:
        assert story.at != "over"
        if story.at == "talks":
            self._frees(story)
        story.at = "over"

    def _classified(self, event: Any, key: Key, story: Story) -> None:
        assert story.at in {"over", "passed"}
        assert "answered" in story.verbs
        assert "classified" not in story.verbs
