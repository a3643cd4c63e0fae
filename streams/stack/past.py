"""The past on the boards: a Prometheus of its own that holds it and asks nobody, and the wall."""

import os
from collections.abc import Callable
from pathlib import Path

from streams.stack import debian
from streams.stack.folder import private, require_room
from streams.stack.ports import require_free
from streams.stack.prometheus import prometheus
from streams.stack.service import Service, Step
from streams.stack.supervisor import Supervisor
from streams.stack.up import DASHBOARDS, Ports
from streams.stack.wall import Wall
from streams.stack.web_password import ensure_password, local


async def show(home: Path, data: Path, ports: Ports, on_ready: Callable[[], None]) -> int:
    """Show what a data folder of Prometheus holds, until a signal. Returns the exit code; raises `StackError`.

    The live monitor of this machine can run beside it, at other `ports` and in another `home`.
    """
    private(home)
    require_room(home)
    password = ensure_password(home)
    programs = debian.ensure(home.parent / "debian", os.environ.get("PATH", ""))
    config = home / "asks-nobody.yml"
    config.write_text("global: {}\n")

    async def hang() -> None:
        require_free(ports.wall, "wall")
        Wall(DASHBOARDS, local(home, ports.prometheus)).serve(ports.wall)

    async def ready() -> None:
        on_ready()

    plan: list[Service | Step] = [
        Step("wall", hang),
        prometheus(
            programs,
            home=home,
            data=data,
            port=ports.prometheus,
            config=config,
            rules=(),
            here={},
            password=password,
            keep="100y",
        ),
        Step("ready", ready),
    ]
    return await Supervisor(home).run(plan, lambda: None)
