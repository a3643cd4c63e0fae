"""The real thing: Kafka, Prometheus and Alertmanager up and down again."""

import asyncio
import socket
import subprocess
from pathlib import Path

import pytest

from streams.stack import StackError
from streams.stack.debian import Programs
from streams.stack.gateway import ensure_key
from streams.stack.kafka import Broker, find_java
from streams.stack.prometheus import AUTH, alertmanager, localised, prometheus
from streams.stack.service import Step
from streams.stack.supervisor import Supervisor
from streams.stack.web_password import amtool_config, ensure_password, local
from tests.conftest import HANG, free_port

PROMETHEUS_YML = f"""
alerting:
  alertmanagers:
    - {{{AUTH}static_configs: [{{targets: ["alertmanager:9093"]}}]}}
rule_files: ["rules/*.yml"]
"""
RULE = """
groups:
  - name: watchdog
    rules: [{alert: Watchdog, expr: vector(1)}]
"""
ODD = 'what\'s, here: [a] "folder" é %d *'
"""A name that means something to a shell, a list, a pattern, a file of settings, and nothing to us."""
ALERTMANAGER_YML = "{route: {receiver: nobody}, receivers: [{name: nobody}]}"


@pytest.mark.stack
def test_the_stack_comes_up_answers_and_goes_down(tmp_path: Path, kafka_jars: list[Path], programs: Programs) -> None:
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS_YML)
    (tmp_path / "watchdog.yml").write_text(RULE)
    (tmp_path / "alertmanager.yml").write_text(ALERTMANAGER_YML)
    home = tmp_path / ODD
    ports = {name: free_port() for name in ("kafka", "controller", "alertmanager", "prometheus")}
    broker = Broker(home / "run/kafka-data", home / "log/kafka", ports["kafka"], ports["controller"], find_java(None), kafka_jars)
    stack = Supervisor(home)
    answers: dict[str, str] = {}
    home.mkdir(parents=True)
    password = ensure_password(home)

    async def look() -> None:
        for name, path in (("prometheus", "/api/v1/rules"), ("alertmanager", "/api/v2/status")):
            answers[name] = (await asyncio.to_thread(local(home, ports[name]).look, path, HANG))[1]
        asked = [
            programs.amtool,
            f"--http.config.file={amtool_config(home)}",
            f"--alertmanager.url=http://127.0.0.1:{ports['alertmanager']}",
        ]
        shown = [*map(str, asked), "config", "show"]
        answers["amtool"] = (await asyncio.to_thread(subprocess.check_output, shown)).decode()
        # As the containers look whether it is well.
        answers["cluster"] = (await asyncio.to_thread(subprocess.check_output, [*map(str, asked), "cluster", "show"])).decode()
        socket.create_connection(("127.0.0.1", ports["kafka"])).close()
        stack.stop()

    plan = [
        *broker.plan(ensure_key(tmp_path / "kafka.password")),
        alertmanager(
            programs,
            home=home,
            data=home / "run/alertmanager-data",
            port=ports["alertmanager"],
            config=tmp_path / "alertmanager.yml",
            here={},
            password=password,
        ),
        prometheus(
            programs,
            home=home,
            data=home / "run/prometheus-data",
            port=ports["prometheus"],
            config=tmp_path / "prometheus.yml",
            rules=[tmp_path / "watchdog.yml"],
            here={"alertmanager:9093": f"127.0.0.1:{ports['alertmanager']}"},
            password=password,
        ),
        Step("look", look),
    ]
    assert asyncio.run(stack.run(plan, lambda: None)) == 0
    assert "Watchdog" in answers["prometheus"]
    assert "versionInfo" in answers["alertmanager"]
    assert "nobody" in answers["amtool"]
    assert "disabled" in answers["cluster"]
    assert [status.state for status in stack.status()] == ["done", "stopped", "stopped", "stopped", "done"]
    for port in ports.values():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_a_configuration_without_the_address_to_be_replaced_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text("rule_files: []")
    with pytest.raises(StackError, match=r"prometheus\.yml does not contain 'worker:9112'"):
        localised(config, tmp_path / "here", {"worker:9112": "127.0.0.1:9112"})


def test_a_java_home_without_java_is_told(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="PANTAU112_JAVA_HOME"):
        find_java(tmp_path)
