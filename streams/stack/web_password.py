"""The password of the local Prometheus and Alertmanager, which would else obey any user of this machine and any web page.

It is made by chance and so long that nobody guesses it, so its hash need not be slow to compute: who asks with wrong ones is to
cost nothing. (bcrypt is the one form that they know; each remembers what it has once compared.)

`python -m streams.stack.web_password FOLDER` makes both files where there is no `up`, for containers that share the folder.
"""

import json
import sys
from pathlib import Path

import bcrypt

from streams.api import USER, Api
from streams.stack.gateway import ensure_key, write_secret

SHARED = Path("/var/lib/web")
"""The folder where docker-compose.yml and dashboards/prometheus.yml have them."""
CHEAPEST = 4


def web_password_file(home: Path) -> Path:
    """Where the password is, for who asks."""
    return home / "web.password"


def web_config(home: Path) -> Path:
    """What they are told of it (`--web.config.file`): its hash."""
    return home / "web.yml"


def amtool_config(home: Path) -> Path:
    """How a person asks Alertmanager by it: `amtool --http.config.file=`."""
    return home / "amtool.yml"


def quoted(path: Path) -> str:
    """A path as YAML takes it, whatever its folders are called."""
    return json.dumps(str(path), ensure_ascii=False)


def ensure_password(home: Path) -> str:
    """The password, made where there is none yet, with what they are told of it. Errors: StackError."""
    password = ensure_key(web_password_file(home)).read_text().strip()
    told = bcrypt.hashpw(password.encode(), bcrypt.gensalt(CHEAPEST)).decode()
    write_secret(web_config(home), f'basic_auth_users: {{{USER}: "{told}"}}')
    write_secret(amtool_config(home), f"basic_auth: {{username: {USER}, password_file: {quoted(web_password_file(home))}}}")
    return password


def local(home: Path, port: int) -> Api:
    """The one of them that listens at this port of the loopback, as it is asked from now on."""
    file = web_password_file(home)
    return Api(f"http://127.0.0.1:{port}", file.read_text().strip() if file.exists() else None)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    ensure_password(folder)
    for made in (web_password_file(folder), web_config(folder), amtool_config(folder)):
        made.chmod(0o644)  # each container is another user, and nobody else sees the folder
