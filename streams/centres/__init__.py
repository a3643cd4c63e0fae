"""Centre files: those packaged with the monitor, and those its operator gives. What stands in one, core/centre.py says."""

from collections.abc import Sequence
from pathlib import Path

from holidays import country_holidays

from streams.centres import indonesia
from streams.core.centre import Centre, CentreError, parse
from streams.sources.opened import text_of, words

HOLIDAYS = country_holidays("ID")
"""National holidays of Indonesia. Feasts of the Islamic calendar are estimates in years for which no decree is known."""

JOINT_LEAVE = country_holidays("ID", categories=("government",))
"""Joint leave of its civil servants (cuti bersama), of the years for which a decree is known to the library."""

NATION = Path("indonesia")
"""Instead of a file: all 514 regencies and cities."""

PACKAGED = Path(__file__).with_name("kota-bogor.toml")


def load(paths: Sequence[Path]) -> dict[str, Centre]:
    """The centres of these files by code; Kota Bogor without any, and of a file and the whole nation the file stands.

    Raises `CentreError` that names file, line and reason.
    """
    centres: dict[str, Centre] = {}
    for path in paths or [PACKAGED]:
        if path == NATION and not path.exists():
            centres |= {code: _with_holidays(centre) for code, centre in indonesia.centres().items() if code not in centres}
            continue
        try:
            centre = parse(text_of(path))
        except OSError as error:
            raise CentreError(words(error)) from None
        except CentreError as error:
            raise CentreError(f"{path}: {error}") from None
        if centre.code in centres:
            raise CentreError(f"{path}: centre {centre.code} was given before")
        centres[centre.code] = _with_holidays(centre)
    return centres


def is_joint_leave_known(year: int) -> bool:
    """Whether the library knows a decree on the joint leave of a year: there was never one without any day."""
    return bool(country_holidays("ID", categories=("government",), years=year))


def _with_holidays(centre: Centre) -> Centre:
    return centre.model_copy(update={"holidays": HOLIDAYS, "joint_leave": JOINT_LEAVE})
