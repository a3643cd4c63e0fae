"""What the board builder warns of at import, which is ours to know: the classic schema is what Grafana 11 to 13 all read."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("filterwarnings", "ignore:Prefer using dashboardv2:DeprecationWarning")
