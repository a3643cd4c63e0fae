"""A worker that was frozen, or whose machine slept, must not go on as if nothing had happened."""

import pytest

from streams import fence


class Ended(Exception):
    """Instead of the end of the process."""


def test_a_worker_that_stood_still_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(code: int, why: str) -> None:
        raise Ended(code, why)

    monkeypatch.setattr(fence, "die", die)
    moments = iter([100.0, 104.9, 110.0])
    watched = fence.Fence(5, lambda: next(moments))
    watched.alive()
    watched.alive()
    with pytest.raises(Ended, match=r"stood still for 5\.1 s"):
        watched.alive()
