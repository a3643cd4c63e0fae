"""Words in both languages of the people who read a report."""

from typing import NamedTuple


class Words(NamedTuple):
    """The same in Indonesian and in English."""

    id: str
    en: str
