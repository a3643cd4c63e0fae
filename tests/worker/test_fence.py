"""A worker that was frozen, or whose machine slept, must not go on as if nothing had happened."""

import pytest

from streams.worker import fence


def test_a_worker_that_stood_still_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[tuple[int, str]] = []
    monkeypatch.setattr(fence, "die", lambda code, why: ends.append((code, why)))
    moments = iter([100.0, 104.9, 110.0])
    watched = fence.Fence(5, lambda: next(moments))
    watched.alive()
    watched.alive()
    assert ends == []
    watched.alive()
    assert ends == [(fence.FENCED, "stood still for 5.1 s; another worker may own these partitions")]
