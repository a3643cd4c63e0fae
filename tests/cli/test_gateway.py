"""`pantau112 gateway` on the command line: tokens made, listed and revoked; what is wrong is said before anything is served."""

import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests.conftest import HANG, free_port

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PANTAU112_BOOTSTRAP": "127.0.0.1:1"}


def gateway(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = ENVIRONMENT | {"PANTAU112_GATEWAY_TOKENS": str(folder / "tokens.json")} | settings
    command = [sys.executable, "-m", "streams.cli", "gateway", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=HANG)


def test_a_token_is_printed_once_listed_without_its_secret_and_revoked_by_its_id(tmp_path: Path) -> None:
    made = gateway(tmp_path, "token", "add", "--centre", "32.71", "--types", "call.*, link.*")

    found = re.fullmatch(r"p112_([0-9a-f]{8})_([A-Za-z0-9_-]{43})\n", made.stdout)
    assert found, made
    listed = gateway(tmp_path, "token", "list").stdout
    assert listed.splitlines()[1].split("\t")[:4] == [found[1], "32.71", "call.*,link.*", "no"]
    assert found[2] not in listed + made.stderr

    assert gateway(tmp_path, "token", "revoke", found[1]).returncode == 0
    assert gateway(tmp_path, "token", "list").stdout.count("\n") == 1
    assert gateway(tmp_path, "token", "revoke", found[1]).returncode == 1


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--centre", "Bogor", "--types", "call.*"], "Kemendagri code"),
        (["--centre", "32.71", "--types", "cal.*"], "is no type of event"),
        (["--centre", "32.71", "--types", "caller.block_lifted"], "--may-decide"),
    ],
)
def test_a_token_for_nothing_is_refused_with_what_to_do(tmp_path: Path, words: list[str], what: str) -> None:
    refused = gateway(tmp_path, "token", "add", *words)

    assert refused.returncode == 1
    assert what in refused.stderr
    assert refused.stdout == ""


def test_what_is_wrong_is_said_before_anything_is_served(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    tls = {"PANTAU112_GATEWAY_CERTIFICATE": str(broken), "PANTAU112_GATEWAY_CERTIFICATE_KEY": str(broken)}
    hooks = tmp_path / "hooks.toml"
    hooks.write_text('[hooks.vendor]\nsql = "nowhere.sql"\ncentre = "32.71"\n')
    for said, what in (
        (tls, "PANTAU112_GATEWAY_CERTIFICATE"),
        ({"PANTAU112_GATEWAY_CERTIFICATE": str(broken)}, "CERTIFICATE_KEY"),
        ({"PANTAU112_GATEWAY_HOOKS": str(hooks)}, "nowhere.sql"),
        ({"PANTAU112_LINK_KEY_FILE": "/nowhere"}, "PANTAU112_LINK_KEY_FILE"),
    ):
        refused = gateway(tmp_path, **said)
        assert refused.returncode == 1
        assert what in refused.stderr
        assert "Traceback" not in refused.stderr


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[str]:
    """The gateway, and the first thing that it says of where it is."""
    environment = ENVIRONMENT | {"PANTAU112_GATEWAY_TOKENS": str(folder / "tokens.json")} | settings
    command = [sys.executable, "-m", "streams.cli", "gateway"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        yield next(line for line in process.stderr if "gateway at" in line)
    finally:
        process.terminate()
        assert process.wait(HANG) == 0, "asked to stop, it stops"
        process.stderr.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_it_speaks_tls_by_files(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    port = free_port()
    tls = {"PANTAU112_GATEWAY_CERTIFICATE": str(certificate), "PANTAU112_GATEWAY_CERTIFICATE_KEY": str(key)}

    with running(tmp_path, **tls, PANTAU112_GATEWAY_PORT=str(port)) as said:
        assert f"https://127.0.0.1:{port}/v1/events" in said
        trusting = ssl.create_default_context(cafile=str(certificate))
        connection = HTTPSConnection("localhost", port, context=trusting, timeout=HANG)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
