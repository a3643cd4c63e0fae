"""A file that cannot be meant is refused with its line, what it sets and why."""

import inspect
import re
import shutil
from pathlib import Path

import pytest

from streams.centres import PACKAGED
from streams.core.centre import CentreError
from streams.edge import exporter
from streams.edge.config import EdgeConfigError, Kinds, load
from streams.edge.follow import FollowConfig

SPOOL = 'spool = "spool.db"\n'
KAFKA = f'{SPOOL}to = "kafka"\n'
FOLLOW = '[[follow]]\nfile = "queue_log"\n'

README = (Path(__file__).parents[2] / "streams" / "edge" / "README.md").read_text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "edge.toml"


def test_paths_begin_at_the_files_own_folder_and_the_centre_is_kota_bogor_unless_named(path: Path) -> None:
    path.write_text(KAFKA + '[[follow]]\nfile = "logs/queue_log"\n[[follow]]\nfile = "/var/log/queue_log"\nname = "second"\n')
    config, centre = load(path)

    assert config.spool == path.parent / "spool.db"
    files = [kind.file for kind in config.kinds() if isinstance(kind, FollowConfig)]
    assert files == [path.parent / "logs/queue_log", Path("/var/log/queue_log")]
    assert [kind.name for kind in config.kinds()] == ["queue_log", "second"]
    assert (centre.code, centre.name) == ("32.71", "Kota Bogor")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('spool = "s"\nto = kafka', "no valid TOML: "),
        (KAFKA, r"line 1: nothing to collect: add \[\[follow\]\], \[\[ami\]\]"),
        (f"{KAFKA}token = 'x'\n{FOLLOW}", "line 3: token: no such setting"),
        (f"{KAFKA}{FOLLOW}fiel = 'x'\n", "line 5: follow.fiel: no such setting"),
        (f"{KAFKA}{FOLLOW}[[follow]]\nname = 'b'\n", "line 5: follow.file: is missing"),
        (f"{KAFKA}{FOLLOW}{FOLLOW}name = 'a b'\n", "line 7: follow.name: String should match"),
        (f"{KAFKA}{FOLLOW}{FOLLOW}", "two collectors are named queue_log"),
        (f'{SPOOL}to = "ftp://x"\n{FOLLOW}', "line 2: to"),
        (f'{SPOOL}to = "https://gateway.example"\n{FOLLOW}', "a gateway wants a token: name its file in token_file"),
        (f'{SPOOL}to = "http://gateway.example"\ntoken_file = "t"\n{FOLLOW}', "the token would be readable on the way"),
        (f'{KAFKA}token_file = "t"\n{FOLLOW}', "token_file goes with a gateway's address"),
        (f"{KAFKA}[[ami]]\nuser = 'u'\nsecret_file = 's'\nsecret = 'hush'\n", "ami.secret: no such setting"),
        (f"spool_bytes = 10\n{KAFKA}{FOLLOW}", "line 1: spool_bytes: Input should be greater"),
        (f'{KAFKA}{FOLLOW}source = "/32.73/asterisk"\n', r"source /32\.73/asterisk of queue_log: must begin with /32\.71/"),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_reason(path: Path, text: str, said: str) -> None:
    path.write_text(text)

    with pytest.raises(EdgeConfigError, match=rf"edge\.toml: .*{said}"):
        load(path)


def test_a_centre_that_is_not_there_or_wrong_is_named(path: Path) -> None:
    path.write_text(f'centre = "bogor.toml"\n{KAFKA}{FOLLOW}')
    with pytest.raises(CentreError, match=r"bogor\.toml: no such file"):
        load(path)
    path.with_name("bogor.toml").write_text('code = "32.71"\nname = "X"\ntimezone = "Asia/Nowhere"\n')
    with pytest.raises(CentreError, match=r"bogor\.toml: line 3: timezone"):
        load(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(EdgeConfigError, match=r"edge\.toml: no such file"):
        load(path)


def test_the_example_of_the_documentation_is_a_good_one(path: Path) -> None:
    path.write_text(README.split("```toml\n")[1].split("```")[0])
    shutil.copy(PACKAGED, path.with_name("kota-bogor.toml"))
    config, centre = load(path)

    assert centre.code == "32.71"
    assert config.model_fields_set == set(type(config).model_fields) - (set(Kinds.model_fields) - {"follow", "ami"})


def test_every_metric_of_an_edge_is_in_its_documentation() -> None:
    families = set(re.findall(r'"(pantau112_edge_\w+)"|_gauge\("(\w+)"|Family, "(\w+)"', inspect.getsource(exporter)))
    names = {whole or f"pantau112_edge_{gauge or other}" for whole, gauge, other in families}

    assert len(names) > 10
    assert [name for name in names if name not in README] == []
