"""What `up` leaves in its folder for others of the same user to find it: its ports, and the password of its Kafka."""

import json
import os
from pathlib import Path

from pydantic import SecretStr

from streams.settings import Settings, keeps_secrets

USER = "pantau112"
"""Who everybody but Kafka itself is in the Kafka of `up`."""


def ports_file(home: Path) -> Path:
    """Where a run says which ports it has."""
    return home / "ports.json"


def password_file(home: Path) -> Path:
    """Where the password of `USER` is."""
    return home / "kafka.password"


def access(home: Path) -> dict[str, str]:
    """The settings, by their names in the environment, that a client of this Kafka needs beside its address."""
    return {
        "PANTAU112_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "PANTAU112_SASL_MECHANISM": "SCRAM-SHA-512",
        "PANTAU112_SASL_USERNAME": USER,
        "PANTAU112_SASL_PASSWORD_FILE": str(password_file(home)),
    }


def homes(proc: Path = Path("/proc")) -> list[Path]:
    """The folders of `up` that are ours, and held by a process that we may look into."""
    found = set()
    for descriptor in proc.glob("[0-9]*/fd/*"):
        try:
            held = Path(os.readlink(descriptor))
            # Root may look into all, and is not to believe what somebody else says of ports and passwords.
            if held.name == "lock" and held.parent.stat().st_uid == os.geteuid() and ports_file(held.parent).exists():
                found.add(held.parent)
        except OSError:  # it has ended, or is another user's
            continue
    return sorted(found)


def signed_in(settings: Settings, home: Path) -> Settings:
    """The settings with the password of this folder's Kafka, where they do not say themselves how to get into a Kafka."""
    file = password_file(home)
    if "security_protocol" in settings.model_fields_set or not os.access(file, os.R_OK):
        return settings
    said = {name.removeprefix("PANTAU112_").lower(): value for name, value in access(home).items()}
    return settings.model_copy(update=said | {"sasl_password": SecretStr(file.read_text().strip())})


def at_home(settings: Settings, proc: Path = Path("/proc")) -> Settings:
    """The same, where what they name as Kafka is that of an `up` which runs on this machine."""
    if "security_protocol" in settings.model_fields_set:
        return settings
    host, port = settings.bootstrap.rsplit(":", 1)
    if "," in host or not keeps_secrets(f"http://{host}"):
        return settings
    for home in homes(proc):
        if json.loads(ports_file(home).read_text())["kafka"] == int(port):
            return signed_in(settings, home)
    return settings
