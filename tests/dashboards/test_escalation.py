"""Whom the real Alertmanager tells of what nobody has: the second receiver, once; ten minutes take eight seconds here."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streams.edge.gateway.alarm_page import MINUTES
from streams.stack.debian import Programs
from tests.conftest import wait_until
from tests.dashboards.test_stack import Receiver
from tests.paging import QUICK, Paging

pytestmark = pytest.mark.stack


class Two:
    """What the first and the second receiver heard."""

    def __init__(self, paging: Paging, receivers: tuple[Receiver, Receiver]) -> None:
        self.paging, (self.first, self.second) = paging, receivers

    def times(self, receiver: Receiver, link: str, status: str = "firing") -> int:
        return sum(alert["labels"].get("link") == link and alert["status"] == status for alert in receiver.alerts)

    def wait_for_another(self, name: str) -> None:
        """Until the second receiver was told of an alert that began after all that is asked about."""
        self.paging.raise_alert("PsapLinkDown", city="51.71", link=name)
        wait_until(lambda: self.times(self.second, name) > 0, f"{name} is told to the second receiver")


@pytest.fixture
def two(programs: Programs, tmp_path: Path) -> Iterator[Two]:
    with told(programs, tmp_path, {}) as found:
        yield found


@contextmanager
def told(programs: Programs, home: Path, here: dict[str, str]) -> Iterator[Two]:
    """With these changes of the configuration too."""
    receivers = Receiver(), Receiver()
    head, url = "- name: second\n    webhook_configs:\n      - url: ", "http://pages:9113/"
    texts = {
        head + url: f"{head}http://127.0.0.1:{receivers[1].port}/",
        "pages:9113": f"127.0.0.1:{receivers[0].port}",
    }
    with Paging(programs, home, QUICK | texts | here).running() as paging:
        yield Two(paging, receivers)
    for receiver in receivers:
        receiver.close()


def test_what_nobody_has_is_told_to_the_second_receiver_once_and_so_is_its_end(two: Two) -> None:
    two.paging.raise_alert("PsapLinkDown", link="sip-1", since=(since := datetime.now(UTC)))
    wait_until(lambda: two.times(two.first, "sip-1") == 1, "the first is told")
    wait_until(lambda: two.times(two.second, "sip-1") == 1, "the second is told")
    assert (datetime.now(UTC) - since).total_seconds() >= 8

    two.paging.raise_alert("PsapLinkDown", link="sip-1", since=since)  # as Prometheus does every minute
    two.wait_for_another("sip-2")
    assert two.times(two.second, "sip-1") == 1

    two.paging.raise_alert("PsapLinkDown", link="sip-1", since=since, until=datetime.now(UTC))
    wait_until(lambda: two.times(two.second, "sip-1", "resolved") == 1, "the end is told")


def test_what_is_mended_acknowledged_or_follows_from_another_is_not(two: Two) -> None:
    now = datetime.now(UTC)
    two.paging.raise_alert("PsapLinkDown", link="mended", since=now)
    had = two.paging.raise_alert("PsapLinkDown", link="had")
    two.paging.raise_alert("PsapCentreIsolated", city="73.71", since=now)
    two.paging.raise_alert("PsapLinkDown", city="73.71", link="follows")
    wait_until(lambda: two.times(two.first, "mended") + two.times(two.first, "had") == 2, "the first is told of both")
    two.paging.raise_alert("PsapLinkDown", link="mended", since=now, until=datetime.now(UTC))
    two.paging.silence(had, "NOC1", 3600)

    two.wait_for_another("later")
    assert [two.times(two.second, link) for link in ("mended", "had", "follows")] == [0, 0, 0]
    assert two.second.told("PsapCentreIsolated", "firing")


def test_when_the_time_of_who_has_it_is_over_and_it_is_not_mended_both_are_told(programs: Programs, tmp_path: Path) -> None:
    """The shortest time that the page offers is as long as the first receiver's repeat_interval."""
    assert min(map(int, MINUTES)) == 30
    with told(programs, tmp_path, {"repeat_interval: 30m": "repeat_interval: 12s"}) as two:
        had = two.paging.raise_alert("PsapLinkDown", link="had")
        wait_until(lambda: two.times(two.first, "had") == 1, "the first is told")
        two.paging.silence(had, "NOC1", 12)
        two.wait_for_another("meanwhile")
        assert (two.times(two.first, "had"), two.times(two.second, "had")) == (1, 0)

        wait_until(lambda: two.times(two.first, "had") > 1 and two.times(two.second, "had") == 1, "both are told")


def test_a_kill_of_alertmanager_makes_nothing_come_twice_and_forgets_nobody_who_has_one(two: Two) -> None:
    since = datetime.now(UTC)
    two.paging.raise_alert("PsapLinkDown", link="sip-1", since=since)
    had = two.paging.raise_alert("PsapLinkDown", link="had", since=since)
    two.paging.silence(had, "NOC1", 3600)
    wait_until(lambda: two.times(two.second, "sip-1") == 1, "the second is told")
    kept = two.paging.home / "kept" / "nflog"
    told = datetime.now(UTC).timestamp()
    wait_until(lambda: kept.exists() and kept.stat().st_mtime > told, "Alertmanager has written down what it sent")

    for _ in range(3):
        two.paging.kill()
        two.paging.start()
        for link in ("sip-1", "had"):
            two.paging.raise_alert("PsapLinkDown", link=link, since=since)
        two.wait_for_another(f"after-{datetime.now(UTC).timestamp():.0f}")
    assert two.times(two.first, "sip-1") == two.times(two.second, "sip-1") == 1
    assert two.times(two.second, "had") == 0


def test_an_alert_that_began_before_alertmanager_was_killed_is_told_ten_minutes_after_it_began(two: Two) -> None:
    two.paging.kill()
    two.paging.start()
    two.paging.raise_alert("PsapLinkDown", link="sip-1", since=datetime.now(UTC) - timedelta(minutes=9))

    wait_until(lambda: two.times(two.second, "sip-1") == 1, "the second is told")
