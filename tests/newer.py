"""`pantau112` as it would be when the version of its states goes up: `python -m tests.newer calls,dispatch worker ...`, where
this version did not know something of the calls and the dispatch that the next one remembers.
"""

import sys
from types import MappingProxyType

from streams import cli
from streams.core import nouns
from streams.worker import handover, migrations, monitor

if __name__ == "__main__":
    unknown = frozenset(filter(None, sys.argv.pop(1).split(",")))
    now = nouns.STATE_VERSION
    steps = MappingProxyType({now - 1: migrations.STEPS[now - 1], now: migrations.Step(unknown=unknown)})
    for module in (migrations, handover):
        setattr(module, "STEPS", steps)  # noqa: B010 (neither has it for others to set)
    for module in (nouns, migrations):
        setattr(module, "STATE_VERSION", now + 1)  # noqa: B010
    monitor.Monitor.state_version = now + 1
    cli.main()
