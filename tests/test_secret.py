"""Secrets lie where nobody else can read or change them, keys are made by chance, and whoever is refused is told what to do."""

import os
import stat
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import secret
from streams.secret import SecretError, check_key, read, refuse_readable
from streams.settings import PREFIX, Settings, SettingsError
from streams.settings import read as read_settings
from streams.stack import StackError
from streams.stack.wall_token import ensure_token

KEY = "a8c1f03e5b7d29460f6b3a9ce1d27485"


def file(folder: Path, mode: int, text: str = KEY) -> Path:
    path = folder / "key"
    path.write_text(f"{text}\n")
    path.chmod(mode)
    return path


# --- who can read it


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_what_only_its_owner_can_read_is_read(tmp_path: Path, mode: int) -> None:
    assert read(file(tmp_path, mode)) == KEY.encode()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o606, 0o620, 0o602, 0o444, 0o666, 0o777])
def test_what_others_can_read_or_change_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = file(tmp_path, mode)
    with pytest.raises(SecretError, match=f"chmod 600 {path}") as refused:
        read(path)

    assert KEY not in str(refused.value)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o440, 0o400])
def test_what_root_gives_a_service_and_its_group_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    """So come credentials of systemd, with an access list that shows as the group's right, and keys under /etc."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = SimpleNamespace(st_uid=0, st_mode=stat.S_IFREG | mode)

    refuse_readable(file(tmp_path, 0o600), found)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", [0o400, 0o440])
def test_what_an_orchestrator_mounts_for_root_is_read(tmp_path: Path, mode: int) -> None:
    found = SimpleNamespace(st_uid=0, st_mode=stat.S_IFREG | mode)

    refuse_readable(file(tmp_path, 0o600), found)  # type: ignore[arg-type]


def test_a_secret_of_docker_is_read_although_all_in_the_container_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, 0o444)
    monkeypatch.setattr(secret, "_CONTAINER", f"{tmp_path}/")

    assert read(path) == KEY.encode()


def test_a_file_of_another_user_is_no_secret_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, 0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    found = SimpleNamespace(st_uid=1001, st_mode=stat.S_IFREG | 0o600)
    with pytest.raises(SecretError, match=r"belongs to another user \(1001\).*chown"):
        refuse_readable(path, found)  # type: ignore[arg-type]


def test_where_anybody_can_put_another_file_in_its_place_it_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    path = file(folder, 0o600)
    folder.chmod(0o777)
    with pytest.raises(SecretError, match=f"chmod o-w {folder}"):
        read(path)
    folder.chmod(0o1777)

    assert read(path) == KEY.encode()


def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file(tmp_path, 0o644))
    with pytest.raises(SecretError, match="chmod"):
        read(link)


@pytest.mark.parametrize("text", ["", " "])
def test_what_is_not_there_or_empty_is_no_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(SecretError, match="No such file"):
        read(tmp_path / "nowhere")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SecretError, match="is empty"):
        read(tmp_path / "empty")


SECRET_FILES = [
    name
    for name in Settings.model_fields
    if name.endswith(("key_file", "token_file", "password_file", "certificate_key", "keyfile"))
]


@pytest.mark.parametrize("name", SECRET_FILES)
def test_every_setting_that_names_a_secret_refuses_a_file_that_others_can_read(tmp_path: Path, name: str) -> None:
    path, beside = file(tmp_path, 0o644), tmp_path / "beside"
    beside.write_text("0f6b3a9ce1d27485a8c1f03e5b7d2946")
    said = {PREFIX + name.upper(): str(path)}
    needs = {
        "sasl_password_file": {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "SCRAM-SHA-512", "SASL_USERNAME": "u"},
        "telegram_token_file": {"REMINDER_TELEGRAM_CHAT": "-1"},
        "gateway_certificate_key": {"GATEWAY_CERTIFICATE": str(beside)},
        "wall_certificate_key": {"WALL_CERTIFICATE": str(beside)},
        "ssl_keyfile": {"SECURITY_PROTOCOL": "SSL", "SSL_CERTFILE": str(beside)},
        "caller_key_before_file": {"CALLER_KEY_FILE": str(beside)},
    }
    said |= {PREFIX + setting: value for setting, value in needs.get(name, {}).items()}

    def use() -> None:
        settings = read_settings(said)
        for find in (settings.caller_secrets, settings.link_secret, settings.telegram_secret, settings.grafana_secret):
            find()
        settings.api("127.0.0.1:1")
        if settings.wall_token_file is not None:
            ensure_token(settings.wall_token_file)

    with pytest.raises((SettingsError, StackError), match=f"{path}: .*chmod 600"):
        use()
    path.chmod(0o600)
    if name not in ("link_key_file", "ssl_keyfile"):  # what lies there is neither
        use()


# --- how it was made


@given(st.integers(0, 2**32), st.integers(16, 64))
def test_a_key_that_chance_made_is_taken_however_it_is_written(seed: int, size: int) -> None:
    made = Random(seed).randbytes(size)

    check_key(made.hex().encode(), 16)
    check_key(made.hex().upper().encode(), 16)


def test_keys_of_chance_in_base64_and_as_bytes_are_taken() -> None:
    refused = 0
    for seed in range(2_000):
        made = Random(seed).randbytes(32)
        for key in (b64encode(made), urlsafe_b64encode(made).rstrip(b"="), made):
            try:
                check_key(key, 16)
            except SecretError:
                refused += 1

    assert refused <= 6, "one in a thousand may look like words"


@pytest.mark.parametrize(
    "key",
    [
        "short",
        "0" * 64,
        "f" * 64,
        "a" * 32,
        "ab" * 32,
        "0123456789abcdef" * 4,
        "0123456789" * 6,
        "00112233445566778899aabbccddeeff",
        "abcdefghijklmnopqrstuvwxyz123456",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "0" * 31 + "1",
        "password",
        "rahasiarahasiarahasia",
        "rahasia-kota-bogor-2026-rahasia",
        "RahasiaKotaBogor2026",
        "katasandi kota bogor yang panjang sekali",
        "a key of the test, long enough",
        "changeme-changeme-changeme-chang",
        "qwertyuiopasdfghjklzxcvbnm123456",
        "08123456789008123456",
        "fedcba9876543210",
    ],
)
def test_a_key_that_somebody_thought_of_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(SecretError, match="openssl rand -hex 32") as refused:
        check_key(key.encode(), 16)

    assert key not in str(refused.value)


def test_a_weak_key_may_be_the_one_before_so_that_it_can_be_replaced(tmp_path: Path) -> None:
    before, key = tmp_path / "before", tmp_path / "key"
    before.write_text("rahasiarahasiarahasia")
    key.write_text(KEY)
    said = {"PANTAU112_CALLER_KEY_FILE": str(key), "PANTAU112_CALLER_KEY_BEFORE_FILE": str(before)}

    assert read_settings(said).caller_secrets() == (KEY.encode(), b"rahasiarahasiarahasia")
    for wrong, what in ((KEY, "holds the key of"), ("short", "no key")):
        before.write_text(wrong)
        with pytest.raises(SettingsError, match=what):
            read_settings(said).caller_secrets()
    with pytest.raises(SettingsError, match="needs PANTAU112_CALLER_KEY_FILE"):
        read_settings({"PANTAU112_CALLER_KEY_BEFORE_FILE": str(before)}).caller_secrets()
