"""What can be said of docker-compose.yml where no Docker is: it parses, and holds what it promises."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_nothing_listens_beyond_this_machine() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_workers_can_be_many_and_prometheus_finds_them_by_name() -> None:
    worker = services()["worker"]
    assert "container_name" not in worker
    assert "ports" not in worker
    port = worker["environment"]["PANTAU112_METRICS_PORT"]
    assert f"dns_sd_configs: [{{names: [worker], type: A, port: {port}}}]" in (ROOT / "dashboards/prometheus.yml").read_text()


def test_every_service_that_stays_says_whether_it_is_well() -> None:
    assert {name for name, service in services().items() if "healthcheck" not in service} == {"topics"}


def test_every_file_it_mounts_exists() -> None:
    mounted = [volume.split(":")[0] for service in services().values() for volume in service.get("volumes", [])]
    assert [path for path in mounted if path.startswith("./") and not (ROOT / path).exists()] == []


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker")
def test_docker_compose_itself_takes_it() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("docker has no compose plugin here")
    subprocess.run(["docker", "compose", "--file", str(COMPOSE), "config", "--quiet"], check=True)
