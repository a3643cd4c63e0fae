"""The doctor finds what is wrong, says what to do, and goes on to the next thing."""

import http.server
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from schemas.calls import CallOffered, Offered
from schemas.topics import PARTITIONS
from streams.edge.gateway.tokens import Tokens
from streams.log.kafka import Log
from streams.log.topics import plans
from streams.settings import Settings, SettingsError, read
from streams.stack.doctor import Finding, examine, snapshot_finding
from tests.conftest import RealKafka, free_port

Serve = Callable[..., AbstractContextManager[str]]


def nowhere() -> Settings:
    """Settings of a machine on which nothing runs."""
    port = free_port()
    return Settings(
        bootstrap=f"127.0.0.1:{port}",
        metrics_port=port,
        gateway_port=port,
        gateway_tokens=Path("/nowhere/tokens.json"),
        prometheus=f"127.0.0.1:{port}",
        alertmanager=f"127.0.0.1:{port}",
    )


def found(settings: Settings, tmp_path: Path, centres: tuple[Path, ...] = (), year: int | None = None) -> dict[str, Finding]:
    wall = time.time if year is None else datetime(year, 7, 1, tzinfo=UTC).timestamp
    return {finding.name: finding for finding in examine(settings, centres, tmp_path, wall)}


@pytest.fixture
def serve() -> Serve:
    """A server that says one status and one page to everything."""

    @contextmanager
    def serving(status: int, page: str = "") -> Iterator[str]:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("content-length", str(len(page)))
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    return serving


def test_where_nothing_runs_every_thing_is_named_with_what_to_do(tmp_path: Path) -> None:
    findings = found(nowhere(), tmp_path, year=2026)
    states = {name: finding.state for name, finding in findings.items()}
    assert states == {
        "Python": "ok",
        "disk": "ok",
        "centres": "warn",
        "working days": "ok",
        "caller key": "warn",
        "Kafka": "fail",
        "worker": "fail",
        "Prometheus": "warn",
        "Alertmanager": "warn",
    }
    assert all(finding.todo for finding in findings.values() if finding.state != "ok")
    assert all("\n" not in str(finding) for finding in findings.values())


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (503, "warn"), (404, "fail")])
def test_a_worker_is_ready_or_recovering_or_somebody_else(serve: Serve, tmp_path: Path, status: int, state: str) -> None:
    with serve(status) as address:
        settings = nowhere().model_copy(update={"metrics_port": int(address.split(":")[1])})
        assert found(settings, tmp_path)["worker"].state == state


def judged(serve: Serve, tmp_path: Path, page: str) -> dict[str, Finding]:
    """What is found of a worker that says this page."""
    with serve(200, page) as address:
        return found(nowhere().model_copy(update={"metrics_port": int(address.split(":")[1])}), tmp_path)


@pytest.mark.parametrize(("age", "state"), [(5, "warn"), (3600, "ok")])
def test_a_worker_that_has_just_started_may_be_one_that_ends_again_and_again(
    serve: Serve, tmp_path: Path, age: int, state: str
) -> None:
    finding = judged(serve, tmp_path, f"process_start_time_seconds {time.time() - age}\n")["worker"]
    assert finding.state == state
    assert state == "ok" or "last line of its log" in finding.todo


def test_a_partition_that_is_stuck_and_a_centre_that_is_left_out_are_named_with_what_to_do(serve: Serve, tmp_path: Path) -> None:
    page = (
        'pantau112_lag_seconds{partition="2",topic="112.calls.v1"} 3.0\n'
        'pantau112_lag_seconds{partition="3",topic="112.calls.v1"} 412.0\n'
        'pantau112_left_out_total{city="32.71",what="scrape"} 7.0\n'
    )
    findings = judged(serve, tmp_path, page)
    assert "112.calls.v1/3 is 412 s behind" in findings["partitions"].says
    assert "32.71" in findings["left out"].says
    assert all(findings[name].state == "warn" and findings[name].todo for name in ("partitions", "left out"))

    well = judged(serve, tmp_path, page.replace("412.0", "4.0").replace(" 7.0", " 0.0"))
    assert well["partitions"].state == "ok"
    assert "left out" not in well


def test_what_sources_told_that_could_not_be_taken_as_it_is_is_said_with_what_to_do(serve: Serve, tmp_path: Path) -> None:
    page = (
        'psap_names_unknown_total{city="32.71",kind="category"} 7\n'
        'pantau112_passed_over_total{city="32.71",limit="link"} 3\n'
        'pantau112_source_clock_offset_seconds{city="32.71",source="/32.71/pbx"} -3420.2\n'
        'psap_late_events_total{city="32.71",source="/32.71/edge"} 60\n'
        'psap_seats_unpaired{city="32.71"} 2\n'
    )
    findings = judged(serve, tmp_path, page)
    assert "7 times a category that the file of 32.71 does not have" in findings["names"].says
    assert "its bound of link" in findings["bounds"].says
    assert "/32.71/pbx is 3,420 s behind" in findings["source's clock"].says
    assert "60 of /32.71/edge" in findings["late events"].says
    assert "2 names of 32.71 act and never log in" in findings["names of seats"].says
    assert "log_membername_as_agent" in findings["names of seats"].todo
    assert all(findings[name].todo for name in ("names", "bounds", "source's clock", "late events"))

    well = judged(serve, tmp_path, page.replace("-3420.2", "0.3").replace(" 60", " 5").replace('"} 2\n', '"} 0\n'))
    assert not {"source's clock", "late events", "names of seats"} & well.keys()


def test_prometheus_and_alertmanager_are_asked_whether_they_are_ready(serve: Serve, tmp_path: Path) -> None:
    with serve(200) as ready, serve(503) as starting:
        findings = found(nowhere().model_copy(update={"prometheus": ready, "alertmanager": starting}), tmp_path)
    assert (findings["Prometheus"].state, findings["Alertmanager"].state) == ("ok", "warn")


@pytest.mark.parametrize(
    ("config", "state"),
    [
        ("route:\n  receiver: local\nreceivers:\n- name: local\n  webhook_configs:\n  - url: <secret>\n", "warn"),
        ("receivers:\n- name: duty\n  telegram_configs:\n  - chat_id: 1\n- name: local\n  webhook_configs: []\n", "ok"),
    ],
    ids=["a webhook alone", "a telephone too"],
)
def test_pages_that_reach_nobodys_telephone_or_mailbox_are_said(serve: Serve, tmp_path: Path, config: str, state: str) -> None:
    with serve(200, json.dumps({"config": {"original": config}})) as address:
        findings = found(nowhere().model_copy(update={"alertmanager": address}), tmp_path)
    assert findings["receivers"].state == state


@pytest.mark.parametrize(("status", "state"), [(200, "ok"), (503, "warn"), (None, "warn")])
def test_a_gateway_that_somebody_has_a_token_for_is_asked_whether_it_is_ready(
    serve: Serve, tmp_path: Path, status: int | None, state: str
) -> None:
    tokens = tmp_path / "tokens.json"
    Tokens(tokens).add(["32.71"], ["*"])
    with serve(status or 200) as address:
        port = free_port() if status is None else int(address.split(":")[1])
        asked = nowhere().model_copy(update={"gateway_port": port, "gateway_tokens": tokens})
        assert found(asked, tmp_path)["gateway"].state == state
        tokens.chmod(0o644)
        assert "chmod 600" in found(asked, tmp_path)["gateway"].says


def test_a_wrong_centre_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "centre.toml"
    path.write_text('code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Bogor"\n')
    finding = found(nowhere(), tmp_path, (path,))["centres"]
    assert finding.failed
    assert f"{path}: line 3: timezone" in finding.says
    path.write_text('code = "32.71"\nname = "Kota Bogor"\ntimezone = "Asia/Jakarta"\n')
    assert found(nowhere(), tmp_path, (path,))["centres"].state == "ok"


def test_a_year_whose_joint_leave_is_not_known_is_said_with_what_to_do(tmp_path: Path) -> None:
    finding = found(nowhere(), tmp_path, year=2099)["working days"]

    assert (finding.state, "2099" in finding.says, "holidays" in finding.todo) == ("warn", True, True)


def test_a_caller_key_that_others_can_read_is_no_secret(tmp_path: Path) -> None:
    key = tmp_path / "caller.key"
    settings = nowhere().model_copy(update={"caller_key_file": key})
    missing = found(settings, tmp_path)["caller key"]
    assert missing.failed
    assert "No such file" in missing.says
    key.write_text("a8c1f03e5b7d29460f6b3a9ce1d27485")
    key.chmod(0o640)
    assert "chmod 600" in found(settings, tmp_path)["caller key"].todo
    key.chmod(0o600)
    assert found(settings, tmp_path)["caller key"].state == "ok"
    key.write_text("short")
    assert found(settings, tmp_path)["caller key"].failed


def test_a_full_disk_is_said_before_kafka_ends_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    assert "1.0 GB free" in found(nowhere(), tmp_path / "not" / "yet")["disk"].says
    assert found(nowhere(), tmp_path)["disk"].failed


@pytest.mark.stack
def test_topics_are_missing_then_right_then_changed_by_somebody(kafka: RealKafka, tmp_path: Path) -> None:
    settings = nowhere().model_copy(update={"bootstrap": kafka.bootstrap, "topic_prefix": "doctor.", "app_id": "doctor"})
    calls, changelog = "topic doctor.112.calls.v1", f"topic {plans(settings, PARTITIONS)[-1].name}"

    missing = found(settings, tmp_path)
    assert missing["Kafka"].state == "ok"
    assert missing[calls].failed
    assert "pantau112 topics create" in missing[calls].todo
    assert "clock" not in missing

    with Log(settings) as log:
        log.create_topics()
    right = found(settings, tmp_path)
    assert (right[calls].state, right[changelog].state) == ("ok", "ok")

    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "doctor.112.calls.v1", {"retention.ms": "3600000"})])
    admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, plans(settings, PARTITIONS)[-1].name, {"cleanup.policy": "delete"})]
    )
    admin.close()
    changed = found(settings, tmp_path)
    assert (changed[calls].state, changed[changelog].state) == ("warn", "fail")
    assert "retention.ms=3600000" in changed[calls].todo


@pytest.mark.stack
def test_a_clock_that_is_behind_the_newest_event_is_wrong(kafka: RealKafka, tmp_path: Path) -> None:
    settings = nowhere().model_copy(update={"bootstrap": kafka.bootstrap, "topic_prefix": "clock.", "app_id": "clock"})
    event = CallOffered(
        id="1",
        source="/32.71/test",
        subject="32.71",
        time=datetime.now(UTC) - timedelta(days=1),
        data=Offered(call="c", queue="112"),
    )
    with Log(settings) as log:
        log.create_topics()
        log.write([event])

    def judged(shift: float) -> str:
        findings = examine(settings, (), tmp_path, lambda: time.time() + shift)
        return next(finding.state for finding in findings if finding.name == "clock")

    assert (judged(0), judged(-60), judged(-7200)) == ("ok", "warn", "fail")


@pytest.mark.parametrize(
    ("written", "state", "said"),
    [
        ([], "ok", "none yet"),
        ([0.0, 9 * 86_400.0], "ok", "2, the newest 1.0 days"),
        ([7 * 86_400.0], "warn", "the newest 3.0 days before the newest event"),
    ],
)
def test_how_old_the_newest_snapshot_is_is_said(written: list[float], state: str, said: str) -> None:
    found = snapshot_finding(written, 10 * 86_400.0)
    assert found.state == state
    assert said in found.says


@pytest.mark.stack
def test_dead_letters_of_the_last_day_are_counted_by_reason_with_what_helps(kafka: RealKafka, tmp_path: Path) -> None:
    settings = nowhere().model_copy(update={"bootstrap": kafka.bootstrap, "topic_prefix": "aside.", "app_id": "aside"})
    with Log(settings) as log:
        log.create_topics()
    assert found(settings, tmp_path)["dead letters"].state == "ok"

    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    for offset, reason in enumerate(["in_the_future", "in_the_future", "not_json"]):
        headers = {"topic": "aside.112.calls.v1", "partition": "3", "offset": str(offset)}
        said = [(f"dlq_original_{name}", text.encode()) for name, text in headers.items()]
        for _ in range(2):  # a crash has put each aside twice
            producer.send("aside.112.dead-letters.v1", b"{", b"32.71", headers=[*said, ("dlq_reason", reason.encode())])
    producer.close()

    finding = found(settings, tmp_path)["dead letters"]
    assert finding.state == "warn"
    assert "3 in the last day" in finding.says
    assert "2 in_the_future, 1 not_json" in finding.says
    assert "--shift" in finding.todo
    tomorrow = examine(settings, (), tmp_path, lambda: time.time() + 90_000)
    assert next(finding.state for finding in tomorrow if finding.name == "dead letters") == "ok"


def test_settings_come_from_the_environment_and_nothing_unknown_is_passed_over() -> None:
    settings = read({"PANTAU112_BOOTSTRAP": "kafka1:9092,kafka2:9092", "PANTAU112_METRICS_PORT": "0", "HOME": "/"})
    assert (settings.bootstrap, settings.metrics_port) == ("kafka1:9092,kafka2:9092", 0)
    with pytest.raises(SettingsError, match="PANTAU112_BOOTSTRAPS is no setting; did you mean PANTAU112_BOOTSTRAP"):
        read({"PANTAU112_BOOTSTRAPS": "kafka:9092"})
    assert read({"PANTAU112_INSTANCE_ID": ""}).instance_id is None


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PANTAU112_METRICS_PORT": "many"}, "^PANTAU112_METRICS_PORT: "),
        ({"PANTAU112_BOOTSTRAP": "kafka"}, "^PANTAU112_BOOTSTRAP: "),
        ({"PANTAU112_CLOCK": "noon"}, "^PANTAU112_CLOCK: a clock is `wall` or"),
        ({"PANTAU112_SECURITY_PROTOCOL": "SASL_SSL"}, "needs PANTAU112_SASL_MECHANISM"),
        ({"PANTAU112_SASL_PASSWORD_FILE": "/nowhere/password"}, "^PANTAU112_SASL_PASSWORD_FILE: "),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read(environment)


def test_a_password_may_lie_in_a_file_and_is_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret and long\n")
    sasl = {
        "PANTAU112_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "PANTAU112_SASL_MECHANISM": "SCRAM-SHA-512",
        "PANTAU112_SASL_USERNAME": "monitor",
        "PANTAU112_SASL_PASSWORD_FILE": str(file),
    }
    settings = read(sasl)
    assert settings.sasl_password is not None
    assert settings.sasl_password.get_secret_value() == "s3cret and long"
    assert "s3cret" not in repr(settings)
    with pytest.raises(SettingsError, match="not both") as refused:
        read(sasl | {"PANTAU112_SASL_PASSWORD": "s3cret"})
    assert "s3cret" not in str(refused.value)
