"""How a process says who it is in Kafka: what cannot be meant is refused before anything is sent."""

import subprocess
from pathlib import Path

import pytest
import trustme

from streams.settings import SettingsError, read

USER = {
    "PANTAU112_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "PANTAU112_SASL_MECHANISM": "SCRAM-SHA-512",
    "PANTAU112_SASL_USERNAME": "monitor",
    "PANTAU112_SASL_PASSWORD": "s3cret",
}


@pytest.mark.parametrize("address", ["kafka1:9092", "10.0.0.7:9092", "127.0.0.1:9092,kafka2:9092", "127.0.0.1.example:9092"])
def test_a_password_goes_over_a_plain_link_to_another_machine_only_when_told(address: str) -> None:
    with pytest.raises(SettingsError, match=r"the password could be read; use SASL_SSL, or, .*ALLOW_PLAIN_PASSWORD=true") as said:
        read(USER | {"PANTAU112_BOOTSTRAP": address})
    assert "s3cret" not in str(said.value)
    assert read(USER | {"PANTAU112_BOOTSTRAP": address, "PANTAU112_ALLOW_PLAIN_PASSWORD": "true"}).bootstrap == address
    assert read(USER | {"PANTAU112_BOOTSTRAP": address, "PANTAU112_SECURITY_PROTOCOL": "SASL_SSL"}).bootstrap == address


@pytest.mark.parametrize("address", ["127.0.0.1:9092", "localhost:9092", "127.0.0.2:9092"])
def test_on_this_machine_nobody_could_read_it_on_the_way(address: str) -> None:
    assert read(USER | {"PANTAU112_BOOTSTRAP": address}).bootstrap == address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A CA, two certificates with their keys, one key with a passphrase, and a file that is none of these."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("one", "two"):
        made = ca.issue_cert(f"{name}.example")
        made.private_key_pem.write_to_path(str(tmp_path / f"{name}.key"))
        made.cert_chain_pems[0].write_to_path(str(tmp_path / f"{name}.pem"))
    command = ["openssl", "pkey", "-in", "one.key", "-aes256", "-passout", "pass:abcd", "-out", "locked.key"]
    subprocess.run(command, cwd=tmp_path, check=True)
    (tmp_path / "letter.txt").write_text("Dear colleague")
    return tmp_path


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"SSL_CERTFILE": "one.pem"}, "our certificate needs PANTAU112_SSL_CERTFILE and PANTAU112_SSL_KEYFILE"),
        ({"SSL_KEYFILE": "one.key"}, "our certificate needs PANTAU112_SSL_CERTFILE and PANTAU112_SSL_KEYFILE"),
        ({"SSL_CERTFILE": "one.pem", "SSL_KEYFILE": "two.key"}, "two.key is not the key of .*one.pem"),
        ({"SSL_CERTFILE": "one.pem", "SSL_KEYFILE": "locked.key"}, "PANTAU112_SSL_KEYFILE has a passphrase; take it off"),
        ({"SSL_CERTFILE": "letter.txt", "SSL_KEYFILE": "one.key"}, "letter.txt holds no certificate as PEM"),
        ({"SSL_CERTFILE": "one.pem", "SSL_KEYFILE": "letter.txt"}, "or .*letter.txt no key"),
        ({"SSL_CAFILE": "letter.txt"}, "PANTAU112_SSL_CAFILE: .*letter.txt holds no certificate as PEM"),
        ({"SSL_CAFILE": "nowhere.pem"}, "^PANTAU112_SSL_CAFILE: "),
    ],
)  # fmt: skip
def test_certificates_that_cannot_be_used_are_said_at_once_and_nobody_is_asked_for_a_passphrase(
    folder: Path, files: dict[str, str], says: str
) -> None:
    environment = {f"PANTAU112_{name}": str(folder / file) for name, file in files.items()}
    with pytest.raises(SettingsError, match=says):
        read({"PANTAU112_SECURITY_PROTOCOL": "SSL"} | environment)


def test_our_certificate_goes_with_a_user_or_instead_of_one(folder: Path) -> None:
    files = {"SSL_CAFILE": "ca.pem", "SSL_CERTFILE": "one.pem", "SSL_KEYFILE": "one.key"}
    shown = {f"PANTAU112_{name}": str(folder / file) for name, file in files.items()}
    assert read(shown | {"PANTAU112_SECURITY_PROTOCOL": "SSL"}).kafka_tls()
    assert read(USER | shown | {"PANTAU112_SECURITY_PROTOCOL": "SASL_SSL"}).kafka_tls()


LINKS = {"PANTAU112_GATEWAY_URL": "https://gateway.example.go.id", "PANTAU112_LINK_KEY_FILE": "link.key"}


@pytest.mark.parametrize("address", ["http://10.0.0.5/reminders", "http://opd.example.go.id/x", "http://a:b@10.0.0.5:9/"])
def test_a_reminder_by_whose_link_somebody_answers_goes_over_a_plain_link_to_another_machine_only_when_told(address: str) -> None:
    said = LINKS | {"PANTAU112_REMINDER_WEBHOOK": address}
    with pytest.raises(SettingsError, match="REMINDER_WEBHOOK: whoever reads") as refused:
        read(said)
    assert address not in str(refused.value)
    read(said | {"PANTAU112_ALLOW_PLAIN_PASSWORD": "true"})
    read({"PANTAU112_REMINDER_WEBHOOK": address})  # it bears no link


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/reminders", "http://[::1]/", "https://opd.example.go.id/x"])
def test_what_nobody_reads_on_the_way_may_bear_a_link(address: str) -> None:
    read(LINKS | {"PANTAU112_REMINDER_WEBHOOK": address})


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"PANTAU112_SASL_USERNAME": "monitor"}, "PANTAU112_SASL_ settings go with PANTAU112_SECURITY_PROTOCOL=SASL_SSL"),
        (USER | {"PANTAU112_SSL_CAFILE": __file__}, "PANTAU112_SSL_ settings go with PANTAU112_SECURITY_PROTOCOL=SSL"),
    ],
)
def test_what_was_given_to_be_safe_is_never_left_unused(said: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read(said)
