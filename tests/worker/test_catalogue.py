"""What people read of thresholds and settings is what the code has."""

import pytest

from streams.core.centre import Thresholds
from streams.settings import Settings


@pytest.mark.parametrize("kind", [Thresholds, Settings])
def test_each_says_what_it_is_for(kind: type[Thresholds] | type[Settings]) -> None:
    assert [name for name, field in kind.model_fields.items() if not field.description] == []
