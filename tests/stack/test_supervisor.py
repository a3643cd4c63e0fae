"""The supervisor with tiny programs: order, restarts, stops, and what is left when it is killed itself."""

import asyncio
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from streams.stack import StackError, supervisor
from streams.stack import folder as home
from streams.stack.service import Service, Step
from streams.stack.supervisor import Supervisor
from tests.conftest import HANG, free_port, is_alive, wait_until
from tests.stack.conftest import Diary


def run(of: Supervisor, plan: list[Service | Step], on_change: Callable[[], None] = lambda: None) -> int:
    return asyncio.run(of.run(plan, on_change))


def test_services_start_in_order_and_stop_in_reverse(tmp_path: Path, diary: Diary) -> None:
    stack = Supervisor(tmp_path)

    async def topics() -> None:
        with diary.page.open("a") as page:
            page.write("topics\n")

    async def finish() -> None:
        stack.stop()

    plan: list[Service | Step] = [diary.service("kafka"), Step("topics", topics), diary.service("worker"), Step("finish", finish)]
    assert run(stack, plan) == 0
    assert diary.lines == ["up kafka", "topics", "up worker", "asked worker", "asked kafka"]
    assert [(status.name, status.state) for status in stack.status()] == [
        ("kafka", "stopped"),
        ("topics", "done"),
        ("worker", "stopped"),
        ("finish", "done"),
    ]


def test_a_service_killed_is_started_again(tmp_path: Path, diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACK_OFF", (0.01, 0.02))
    stack = Supervisor(tmp_path)
    pids: list[int] = []

    def kill_once_then_stop() -> None:
        (worker,) = stack.status()
        if worker.state == "running" and worker.pid not in pids:
            assert worker.pid is not None
            pids.append(worker.pid)
            if len(pids) == 1:
                (tmp_path / "worker").unlink()
                os.kill(worker.pid, signal.SIGKILL)
            else:
                stack.stop()

    assert run(stack, [diary.service("worker")], kill_once_then_stop) == 0
    assert diary.lines == ["up worker", "up worker", "asked worker"]
    assert stack.status()[0].restarts == 1
    assert stack.status()[0].reason == "ended with -9"


def test_the_log_of_a_service_that_runs_for_years_stays_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOGS_LOOKED_AT", 0.01)
    monkeypatch.setattr(supervisor, "shorten", partial(home.shorten, most=1000))
    stack, log = Supervisor(tmp_path), tmp_path / "log" / "talker.log"

    async def ready() -> bool:
        return True

    async def begun_anew() -> None:
        await asyncio.to_thread(wait_until, log.with_name("talker.log.1").exists, "it is begun anew")
        stack.stop()

    talker = Service("talker", ["sh", "-c", "while :; do echo a line of a log; sleep 0.001; done"], ready=ready)
    assert run(stack, [talker, Step("begun anew", begun_anew)]) == 0


def test_a_log_that_is_begun_anew_is_written_on_without_a_hole(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("ab", buffering=0) as writing:
        writing.write(b"old\n" * 1000)
        home.shorten(log, 1000)
        writing.write(b"new\n")
        home.shorten(log, 1000)
    assert log.read_bytes() == b"new\n"
    assert log.with_name("worker.log.1").read_bytes() == b"old\n" * 1000


def test_a_service_that_is_not_to_be_restarted_stays_down(tmp_path: Path) -> None:
    stack = Supervisor(tmp_path)

    async def ready() -> bool:
        return True

    def stop_when_ended() -> None:
        if stack.status()[0].state in {"done", "failed"}:
            stack.stop()

    feed = Service("feed", [sys.executable, "-c", "raise SystemExit(3)"], ready=ready, restart=False)
    run(stack, [feed], stop_when_ended)
    assert (stack.status()[0].state, stack.status()[0].reason) == ("failed", "ended with 3")


def test_a_service_deaf_to_sigterm_is_killed_after_its_grace(tmp_path: Path, diary: Diary) -> None:
    stack = Supervisor(tmp_path)
    pids: list[int] = []

    async def finish() -> None:
        pids.extend(status.pid for status in stack.status() if status.pid)
        stack.stop()

    run(stack, [diary.service("worker", deaf=True, grace=0.2), Step("finish", finish)])
    assert diary.lines == ["up worker", "asked worker"]
    assert not is_alive(pids[0])


def test_a_service_that_ends_while_starting_stops_the_rest_and_shows_its_last_lines(tmp_path: Path, diary: Diary) -> None:
    async def never() -> bool:
        return False

    broken = Service("worker", [sys.executable, "-c", "import sys; sys.exit('no such city')"], ready=never)
    with pytest.raises(StackError, match=r"worker ended with 1 while starting[\s\S]*no such city"):
        run(Supervisor(tmp_path), [diary.service("kafka"), broken])
    assert diary.lines == ["up kafka", "asked kafka"]


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    with pytest.raises(StackError, match=r"no-such-program: No such file"):
        run(Supervisor(tmp_path), [Service("worker", ["no-such-program"], ready=never)])


def test_a_port_in_use_is_told_with_its_holder_before_anything_starts(tmp_path: Path, diary: Diary) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        worker = Service("worker", ["true"], ready=diary.service("x").ready, ports=(free_port(), port))
        with pytest.raises(StackError, match=rf"Port {port} \(worker\) is in use by .* \(process {os.getpid()}\)"):
            run(Supervisor(tmp_path), [diary.service("kafka"), worker])
    assert diary.lines == []


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_500_000_000))
    with pytest.raises(StackError, match=r"has 1\.5 GB free; 2\.0 GB are needed"):
        run(Supervisor(tmp_path), [diary.service("kafka")])
    assert diary.lines == []


def test_only_the_owner_may_look_into_the_folder_whoever_made_it(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    stack = Supervisor(tmp_path / "home")

    async def finish() -> None:
        stack.stop()

    run(stack, [Step("finish", finish)])
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match=r"Cannot use .*file/home: Not a directory\. Choose another folder with --home\.$"):
        home.private(tmp_path / "file" / "home")


def test_a_folder_that_others_use_is_neither_used_nor_closed_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "like-tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(StackError, match="others use it too"):
        home.private(shared)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    monkeypatch.setattr(os, "geteuid", lambda: 1_000)
    with pytest.raises(StackError, match="others use it too"):
        home.private(tmp_path)


def test_elsewhere_than_on_linux_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(StackError, match="Linux only"):
        Supervisor(tmp_path)


SUPERVISED = """
import asyncio, sys
from pathlib import Path
from streams.stack.service import Service
from streams.stack.supervisor import Supervisor
from tests.stack.conftest import Diary
folder, hangs = Path(sys.argv[1]), sys.argv[2] == "hangs"
diary = Diary(folder)
plan = [diary.service("kafka"), diary.service("worker")]
async def never():
    return False
if hangs:
    plan[1] = Service("worker", plan[1].command, ready=never)
stack = Supervisor(folder / "home")
def tell():
    (folder / "pids.new").write_text(" ".join(str(s.pid) for s in stack.status() if s.pid))
    (folder / "pids.new").replace(folder / "pids")
sys.exit(asyncio.run(stack.run(plan, tell)))
"""


def supervised(folder: Path, *, hangs: bool = False) -> tuple[subprocess.Popen[bytes], list[int]]:
    """A supervisor in a process of its own, with two services up (or the second one hanging at its start)."""
    command = [sys.executable, "-c", textwrap.dedent(SUPERVISED), str(folder), "hangs" if hangs else "starts"]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    diary = folder / "diary"
    wait_until(lambda: diary.exists() and "up worker" in diary.read_text(), "both services are up")
    wait_until(lambda: len((folder / "pids").read_text().split()) == 2, "both services have told their process ids")
    return process, [int(pid) for pid in (folder / "pids").read_text().split()]


def test_nothing_is_left_after_kill_9_of_the_supervisor(tmp_path: Path) -> None:
    process, pids = supervised(tmp_path)
    assert all(map(is_alive, pids))
    process.kill()
    process.wait()
    wait_until(lambda: not any(map(is_alive, pids)), "the services have ended")


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_takes_everything_down(tmp_path: Path, how: signal.Signals, code: int) -> None:
    process, pids = supervised(tmp_path)
    process.send_signal(how)
    assert process.wait(HANG) == code
    assert not any(map(is_alive, pids))


def test_ctrl_c_during_the_start_takes_everything_down(tmp_path: Path) -> None:
    process, pids = supervised(tmp_path, hangs=True)
    process.send_signal(signal.SIGINT)
    assert process.wait(HANG) == 130
    assert not any(map(is_alive, pids))
    assert sorted((tmp_path / "diary").read_text().split()[-4:]) == ["asked", "asked", "kafka", "worker"]


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path, diary: Diary) -> None:
    first = Supervisor(tmp_path)
    told: list[str] = []

    async def second() -> None:
        try:
            await Supervisor(tmp_path).run([], lambda: None)
        except StackError as why:
            told.append(str(why))
        first.stop()

    run(first, [diary.service("kafka"), Step("second", second)])
    assert told[0].startswith(f"Already running here: process {os.getpid()} has ")


def test_a_run_waits_for_what_a_killed_one_left_to_end(tmp_path: Path) -> None:
    process, pids = supervised(tmp_path)
    process.kill()
    process.wait()
    with home.locked(tmp_path / "home"):
        assert not any(map(is_alive, pids))


def test_what_a_killed_run_left_and_does_not_end_is_told(tmp_path: Path) -> None:
    process, pids = supervised(tmp_path)
    os.kill(pids[0], signal.SIGSTOP)
    process.kill()
    process.wait()
    try:
        with pytest.raises(StackError, match="has not ended"), home.locked(tmp_path / "home", patience=0.3):
            pass
    finally:
        os.kill(pids[0], signal.SIGKILL)
