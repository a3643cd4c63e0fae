"""What can be said of docker-compose.yml where no Docker is: it parses, and holds what it promises."""

import re
import shutil
import subprocess
import sys
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
    assert all("healthcheck" in service for service in services().values())
    assert [name for name, service in services().items() if service["healthcheck"].get("disable")] == ["password", "topics"]


def test_no_secret_stands_in_a_command_line_which_every_user_of_the_machine_can_read() -> None:
    run = {name: str([service.get("command"), service["healthcheck"].get("test")]) for name, service in services().items()}
    assert [name for name, words in run.items() if re.search(r"\$\$|://[^/ ]*@|--user|-u ", words)] == []


def test_who_looks_whether_prometheus_is_well_may_read_the_file_that_has_the_password(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "streams.stack.web_password", str(tmp_path)], check=True)
    for name in ("prometheus", "alertmanager"):
        [file] = re.findall(r"--http.config.file=/var/lib/web/([a-z.]+)", str(services()[name]["healthcheck"]["test"]))
        assert (tmp_path / file).stat().st_mode & 0o004


def test_every_file_it_mounts_exists() -> None:
    mounted = [volume.split(":")[0] for service in services().values() for volume in service.get("volumes", [])]
    assert [path for path in mounted if path.startswith("./") and not (ROOT / path).exists()] == []


def test_our_image_is_built_of_files_that_exist_and_locked_packages_and_runs_as_nobody_s_root() -> None:
    ours = [service["build"] for service in services().values() if service["image"] == "pantau112"]
    [recipe] = {ROOT / build["context"] / build["dockerfile"] for build in ours}
    steps = re.findall(r"^([A-Z]+) (.*(?:\\\n.*)*)", recipe.read_text(), re.M)
    copied = [word for name, step in steps if name == "COPY" and "--from" not in step for word in step.split()[:-1]]

    assert [name for name in copied if not (ROOT / name).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*", "keys and events of an `up` in this folder are told to no builder"
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(set(copied))
    assert {"requirements.lock", "pyproject.toml", "schemas", "streams", "dashboards"} <= set(copied)
    assert any("--require-hashes" in step for name, step in steps if name == "RUN")
    assert [step for name, step in steps if name == "USER"] == ["pantau112"]
    assert [name for name, _ in steps][-3:] == ["ENTRYPOINT", "CMD", "HEALTHCHECK"]


@pytest.mark.parametrize(("service", "line"), [("prometheus", "v3.13."), ("alertmanager", "v0.34."), ("grafana", "12.4.")])
def test_what_judges_tells_and_shows_is_one_image_for_ever_by_its_digest(service: str, line: str) -> None:
    assert re.fullmatch(rf"[a-z]+/{service}:{re.escape(line)}\d+@sha256:[0-9a-f]{{64}}", services()[service]["image"])


def test_rules_and_routes_are_checked_by_the_programs_that_are_in_those_images() -> None:
    made = (ROOT / "Makefile").read_text()
    for service, modules in (
        ("prometheus", "prometheus/prometheus@v0.3"),
        ("alertmanager", "prometheus/alertmanager/cmd/amtool@v"),
    ):
        version = services()[service]["image"].split("@")[0].partition(":v")[2]
        # Prometheus 3.13.4 is 0.313.4 among Go's modules.
        assert f"{modules}{version.removeprefix('3.') if service == 'prometheus' else version}" in made, service


def test_grafana_finds_every_folder_that_it_looks_for() -> None:
    folder = ROOT / "dashboards" / "grafana" / "provisioning"
    for name in ("datasources", "dashboards", "plugins", "alerting"):
        assert yaml.safe_load((folder / name / "112.yml").read_text())["apiVersion"] == 1, name


def test_grafana_which_asks_nobody_who_he_is_answers_by_its_own_address_alone() -> None:
    grafana = services()["grafana"]
    said = grafana["environment"]
    assert said["GF_AUTH_ANONYMOUS_ENABLED"] == said["GF_SERVER_ENFORCE_DOMAIN"] == "true"
    assert grafana["ports"] == [f"{said['GF_SERVER_DOMAIN']}:3000:3000"]


def test_grafana_fetches_nothing_from_the_internet_and_speaks_indonesian_first() -> None:
    said = services()["grafana"]["environment"]
    off = ("PLUGINS_PREINSTALL_DISABLED", "PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED", "SECURITY_DISABLE_GRAVATAR")
    on = (
        "ANALYTICS_CHECK_FOR_PLUGIN_UPDATES",
        "ANALYTICS_CHECK_FOR_UPDATES",
        "ANALYTICS_REPORTING_ENABLED",
        "NEWS_NEWS_FEED_ENABLED",
        "SNAPSHOTS_EXTERNAL_ENABLED",
        "PLUGINS_PLUGIN_ADMIN_ENABLED",
    )
    assert {name: said.get(f"GF_{name}") for name in (*off, *on)} == dict.fromkeys(off, "true") | dict.fromkeys(on, "false")
    assert said["GF_USERS_DEFAULT_LANGUAGE"] == "id-ID"


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker")
def test_docker_compose_itself_takes_it() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("docker has no compose plugin here")
    subprocess.run(["docker", "compose", "--file", str(COMPOSE), "config", "--quiet"], check=True)
