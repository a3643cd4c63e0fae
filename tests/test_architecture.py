"""Imports point one way, a client library lives in one file, and the core reads neither clock nor environment."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path.relative_to(ROOT) for folder in ("schemas", "streams", "dashboards") for path in (ROOT / folder).rglob("*.py")
)

ROOMS = ("core", "sources", "centres", "log", "worker", "edge", "analysis", "stack", "cli")
"""From the ground up: a room imports only those before it, and itself. What lies beside them, each may have."""
BESIDE = {"clock": "core", "logs": "core", "api": "sources", "secret": "sources", "serving": "sources", "settings": "sources"}
"""The files of streams that are in no room, and the room that they stand on."""

CLIENTS = {
    "bcrypt": {"streams/stack/web_password.py"},
    "grafana_api": {"streams/stack/grafana.py"},
    "faust": {f"streams/worker/{name}.py" for name in ("app", "recovery", "transport")},
    "aiokafka": {
        *(f"streams/log/{name}.py" for name in ("access", "lookup", "producer", "reader", "topics", "versions")),
        *("streams/worker/app.py", "streams/worker/transport.py"),
    },
    "kafka": {"streams/log/kafka.py"},
    "prometheus_client": {"streams/edge/exporter.py", "streams/edge/gateway/traffic.py", "streams/worker/exporter.py"},
    "simpy": {
        "streams/analysis/whatif/centre_model.py",
        *(f"streams/sources/simulate/{name}.py" for name in ("world", "takers", "wandering")),
    },
}
IMPURE = {"os", "time", "random", "secrets", "uuid", "logging", "socket", "threading", "asyncio", "subprocess"}
CLOCKS = {"now", "utcnow", "today", "getenv", "environ"}


def imports(source: str, path: Path) -> set[str]:
    """The full names of the modules and names that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(path.parent.parts[: len(path.parent.parts) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _below(path: Path) -> tuple[str, ...]:
    """What of streams a file may import: its own room, those below, and what lies beside rooms that are not above it."""
    place = path.parts[1] if len(path.parts) > 2 else BESIDE.get(path.stem, "cli")
    rooms = ROOMS[: ROOMS.index(place) + 1]
    return (*rooms, *(name for name, room in BESIDE.items() if room in rooms and name != path.stem))


def circles() -> list[tuple[str, ...]]:
    """Files that import each other, directly or by others; also what is imported for its types alone."""
    modules = {path.with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path for path in FILES}
    packages = {name for name, path in modules.items() if path.stem == "__init__"}
    arrows = {}
    for module, path in modules.items():
        found = {name if name in modules else name.rpartition(".")[0] for name in imports((ROOT / path).read_text(), path)}
        # A file's own package is no arrow: `from streams.core import calls` asks for the module beside it.
        arrows[module] = {to for to in found & modules.keys() if to != module and not (to in packages and is_in(module, to))}
    while ends := {module for module, to in arrows.items() if not to & arrows.keys()}:
        arrows = {module: to for module, to in arrows.items() if module not in ends}
    return sorted(tuple(sorted({module, *(to & arrows.keys())})) for module, to in arrows.items())


def offences(source: str, path: Path) -> list[str]:
    """What a file imports or calls against the rules of its place."""
    place, names = path.as_posix(), sorted(imports(source, path))
    ours = {"schemas": ["schemas"], "dashboards": ["dashboards"]}.get(path.parts[0], ["schemas", "streams"])
    pure = path.parts[0] == "schemas" or path.parts[:2] == ("streams", "core")
    if path.parts[0] == "streams":
        ours = ["schemas", *(f"streams.{room}" for room in _below(path))]
    wrong = []
    for name in names:
        top = name.partition(".")[0]
        if top in {"schemas", "streams", "dashboards", "tests"}:
            if not any(is_in(name, package) for package in ours):
                wrong.append(f"imports {name}")
        elif pure and top not in {"pydantic", "pydantic_core", "msgspec"} and top not in sys.stdlib_module_names:
            wrong.append(f"imports {name}")
        elif place not in CLIENTS.get(top, {place}):
            wrong.append(f"imports {name}, which only {' and '.join(sorted(CLIENTS[top]))} may")
        elif top == "grafana_foundation_sdk" and path.parts[0] != "dashboards":
            wrong.append(f"imports {name}, which only dashboards may")
        elif pure and top in IMPURE:
            wrong.append(f"imports {name}: hand the value down from the shell")
    if pure:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute) and node.attr in CLOCKS]
        wrong += [f"line {node.lineno} reads .{node.attr}: hand the value down from the shell" for node in calls]
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.as_posix())
def test_a_file_keeps_the_rules_of_its_place(path: Path) -> None:
    assert offences((ROOT / path).read_text(), path) == []


def test_no_two_files_import_each_other() -> None:
    assert circles() == []


def test_every_room_says_first_what_belongs_there_and_has_a_place_in_the_order() -> None:
    assert {path.parts[1] for path in FILES if path.parts[0] == "streams" and len(path.parts) > 2} == set(ROOMS)
    assert {path.stem for path in FILES if path.parts[0] == "streams" and len(path.parts) == 2} - {"__init__"} == set(BESIDE)
    assert all(ast.get_docstring(ast.parse((ROOT / "streams" / room / "__init__.py").read_text())) for room in ROOMS)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("schemas/calls.py", "from streams.core import calls"),
        ("schemas/calls.py", "import tomlkit"),
        ("schemas/calls.py", "import random"),
        ("streams/core/calls.py", "import faust"),
        ("streams/core/calls.py", "from streams.worker.monitor import Monitor"),
        ("streams/core/calls.py", "from streams.worker import app"),
        ("streams/core/calls.py", "from ..worker.monitor import Monitor"),
        ("streams/core/calls.py", "def f():\n    import os"),
        ("streams/core/calls.py", "from time import time"),
        ("streams/core/calls.py", "from datetime import datetime\ndatetime.now()"),
        ("streams/core/calls.py", "from datetime import date\ndate.today()"),
        ("streams/worker/monitor.py", "import faust.types"),
        ("streams/worker/monitor.py", "from kafka import KafkaConsumer"),
        ("streams/worker/monitor.py", "from dashboards import boards"),
        ("streams/worker/monitor.py", "from tests import builders"),
        ("streams/worker/app.py", "import prometheus_client"),
        ("streams/worker/app.py", "from grafana_foundation_sdk.builders import dashboard"),
        ("streams/sources/asterisk.py", "import simpy"),
        ("streams/sources/asterisk.py", "from streams.log.kafka import Log"),
        ("streams/log/topics.py", "from streams.worker.monitor import Monitor"),
        ("streams/worker/app.py", "from streams.edge import spool"),
        ("streams/edge/gateway/server.py", "from streams.stack import up"),
        ("streams/settings.py", "from streams.log.kafka import Log"),
        ("streams/core/calls.py", "from streams import settings"),
        ("dashboards/boards/calls.py", "from schemas.calls import Call"),
        ("dashboards/boards/calls.py", "from streams.core.calls import METRICS"),
    ],
)
def test_an_arrow_the_wrong_way_is_found(place: str, source: str) -> None:
    assert offences(source, Path(place)) != []


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("schemas/calls.py", "from pydantic import Field\nfrom schemas.event import Event"),
        ("streams/core/calls.py", "from schemas.calls import Call\nfrom . import funnel\nfrom streams.core.window import Window"),
        ("streams/worker/app.py", "import faust, aiokafka, os, time\nfrom streams.worker import monitor"),
        ("dashboards/boards/calls.py", "from grafana_foundation_sdk.builders import dashboard\nfrom dashboards import boards"),
    ],
)
def test_an_arrow_the_right_way_is_none(place: str, source: str) -> None:
    assert offences(source, Path(place)) == []
