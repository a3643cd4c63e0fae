"""What tests of any folder may ask for: a real Kafka broker, and the programs of Prometheus and Alertmanager."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from streams.settings import Settings
from streams.stack import debian, jars
from streams.stack.die_with_parent import tied
from streams.stack.kafka import BROKER, Broker, find_java

if TYPE_CHECKING:
    from tests.guarded import GuardedKafka

os.umask(0o077)  # a file of a secret that others can read is refused

LOCAL = Path(__file__).parents[1] / ".local"
DATA = Path(__file__).parent / "data"
"""Real data that may be published; what each is, its README says."""
HANG = 240.0
"""Seconds after which what a test waits for is taken to hang. No measure of speed: the machine may be doing other things."""


def pytest_configure() -> None:
    # How long an example takes says how busy the machine is.
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


def free_port(row: int = 1) -> int:
    """The first of so many ports in a row that nobody listens on, below those that the system itself hands out to clients."""
    while True:
        first = random.randrange(11_000, 32_000)
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for port in range(first, first + row):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


def strays(log: str) -> list[str]:
    """The lines of a process's log that are in neither of its forms: with a priority for the journal, or with a time."""
    form = re.compile(r"<[2-7]>[\w.]+: .*|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.$-]+ .*")
    return [line for line in log.splitlines() if not form.fullmatch(line)]


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Return as soon as `true()` is; fail the test when it seems never to be."""
    deadline = time.monotonic() + HANG
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {HANG:g} s in vain: {what}")
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


class OpenBroker(Broker):
    """A broker that lets everybody in, as many a cluster inside a network of its own does."""

    def properties(self, plain: str) -> str:
        return super().properties(plain) + "listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT\n"


class RealKafka:
    """A real broker on free ports whose data lives in a temporary folder; it can be killed, frozen and started again.

    It lets everybody in.
    """

    Kind: type[Broker] = OpenBroker

    def __init__(self, broker: Broker) -> None:
        self._broker = self.Kind(*broker)
        self._secret = ""
        self._log = broker.logs / "stderr.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return self._broker.bootstrap

    @property
    def pid(self) -> int:
        assert self._process is not None, "the broker is down"
        return self._process.pid

    @property
    def is_up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start on the data as it is; returns when the broker answers and every partition it has is led."""
        assert not self.is_up
        self._secret = self._broker.configure()
        with self._log.open("ab") as log:
            if not self._broker.is_formatted:
                subprocess.run(self._broker.format_command(), stdout=log, stderr=log, check=True)
            self._process = subprocess.Popen(
                tied(self._broker.run_command(), signal.SIGKILL), stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self._is_ready, f"Kafka is ready; {self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL, as a power cut would; returns when it is dead."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM; returns when it has ended."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Start again on the same ports and data, after a kill or, when it still runs, after a clean stop."""
        if self.is_up:
            self.stop()
        self.start()

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self.is_up:
            self.thaw()
            self._process.send_signal(how)
        try:
            self._process.wait(HANG)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _is_ready(self) -> bool:
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        assert self.is_up, f"Kafka ended: {self._log.read_text()[-2000:]}"
        with contextlib.suppress(KafkaError, OSError):
            socket.create_connection(("127.0.0.1", self._broker.port)).close()  # kafka-python leaks those it is refused
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=20_000)
            try:
                topics = admin.describe_topics()
            finally:
                admin.close()
            return all(part["leader_id"] >= 0 for topic in topics for part in topic["partitions"])
        return False


class LockedKafka(RealKafka):
    """The broker as `up` starts it: it lets nobody in but whom `let_in` names."""

    Kind = Broker

    def let_in(self, user: str, password: str) -> None:
        """Let this user of Kafka's in."""
        from streams.log.kafka import Log

        with Log(self.master) as log:
            log.set_password(user, password)

    @property
    def master(self) -> Settings:
        """The settings of the broker itself, who may do everything."""
        user = {"sasl_mechanism": "PLAIN", "sasl_username": BROKER, "sasl_password": self._secret}
        return Settings(bootstrap=self.bootstrap, security_protocol="SASL_PLAINTEXT", **user)  # type: ignore[arg-type]

    def _is_ready(self) -> bool:
        from streams.log.access import LogError

        assert self.is_up, f"Kafka ended: {self._log.read_text()[-2000:]}"
        with contextlib.suppress(LogError):
            self.let_in("first", "come")
            return True
        return False


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """Files are made as by a user who has set nothing: everybody may read them, unless whoever makes one says otherwise."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture(scope="session")
def kafka_jars() -> list[Path]:
    """Kafka's jars, in the project's own folder so that they are fetched once."""
    return jars.ensure(LOCAL / "kafka" / "jars")


@pytest.fixture(scope="session")
def kafka(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKafka]:
    """A real broker, one for the whole test run: use topic and group names of your own."""
    folder = tmp_path_factory.mktemp("kafka")
    broker = Broker(folder / "data", folder / "log", free_port(), free_port(), find_java(None), kafka_jars)
    real = RealKafka(broker)
    try:
        real.start()
        yield real
    finally:
        real.kill()


@pytest.fixture(scope="session")
def guarded(kafka_jars: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator["GuardedKafka"]:
    """A real broker that lets only some in, and each only to some; one for the whole test run."""
    from tests.guarded import GuardedKafka

    real = GuardedKafka(tmp_path_factory.mktemp("guarded"), find_java(None), kafka_jars)
    try:
        real.start()
        yield real
    finally:
        real.kill()


@pytest.fixture(scope="session")
def programs() -> debian.Programs:
    """Prometheus, promtool, Alertmanager and amtool: the installed ones, else Debian's packages in the project's own folder."""
    return debian.ensure(LOCAL / "debian", os.environ["PATH"])


@pytest.fixture(scope="session")
def prometheus(programs: debian.Programs) -> Path:
    return programs.prometheus


@pytest.fixture(scope="session")
def promtool(programs: debian.Programs) -> Path:
    return programs.promtool


@pytest.fixture(scope="session")
def alertmanager(programs: debian.Programs) -> Path:
    return programs.alertmanager


@pytest.fixture(scope="session")
def amtool(programs: debian.Programs) -> Path:
    return programs.amtool
