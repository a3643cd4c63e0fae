"""`pantau112 upgrade` says what to do next, whatever versions there are."""

import pytest

from streams.analysis.agreement import Agreement
from streams.cli.upgrade import Seen, verdict
from streams.log.versions import Member

ONE = [Member("w", "10.0.0.5")]
SAME, OTHER = Agreement(900, {}, {}, {}), Agreement(899, {"a": ("1", "2")}, {}, {})


def works(waiting: int = 0) -> Seen:
    return Seen(ONE, waiting, 1.0)


def rests() -> Seen:
    return Seen([], 0, 1.0)


@pytest.mark.parametrize(
    ("seen", "agreement", "is_done", "said"),
    [
        pytest.param({}, None, False, "no worker works", id="nobody"),
        pytest.param({9: rests()}, None, False, "no worker works", id="nobody-any-more"),
        pytest.param({9: works()}, None, True, "version 9 works alone", id="one"),
        pytest.param({9: rests(), 10: works()}, None, True, "kept of version 9 goes by: pantau112 upgrade finish", id="after"),
        pytest.param({9: works(), 10: rests()}, None, False, "start its worker beside it", id="gone-back"),
        pytest.param({9: works(), 10: works()}, None, False, "give the addresses", id="not-compared"),
        pytest.param({9: works(), 10: works()}, SAME, True, "stop the workers of version 9 now", id="ready"),
        pytest.param({9: works(50), 10: works(90_000)}, OTHER, False, "wait: version 10 has 90,000 records", id="behind"),
        pytest.param({9: works(), 10: works()}, OTHER, False, "do not stop version 9 yet", id="differs"),
        pytest.param({8: rests(), 9: works(), 10: works()}, SAME, True, "stop the workers of version 9 now", id="three"),
    ],
)
def test_of_these_versions(seen: dict[int, Seen], agreement: Agreement | None, is_done: bool, said: str) -> None:
    found = verdict(seen, agreement)
    assert found[0] is is_done
    assert said in found[1]
