"""Commands as they are printed: in the runbook, in the README and in every verb's help, each can be typed as it stands."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from streams.cli import app
from tests.cli.test_cli import pantau112

ROOT = Path(__file__).parents[2]
RUNBOOK = sorted((ROOT / "dashboards" / "runbook").glob("*.md"))
PAGES = (ROOT / "README.md", ROOT / "dashboards" / "grafana" / "README.md")
WORDS = {"CALLER": "9f86d081884c7d659a2feaa0c55ad015", "ROLE": "supervisor-1", "ORIGIN": "112.calls.v1/3/4711"}
"""What a person puts in place of a word in capitals."""

COMMAND = typer.main.get_command(app)


def spans(page: Path) -> list[str]:
    """The commands that a page prints in running text, which may go over the end of a line."""
    found = re.findall(
        r"(?<!`)`([^`]*?pantau112 [^`]*)`(?!`)", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.M)
    )
    return [" ".join(command.split()) for command in found]


def blocks(page: Path) -> list[str]:
    """The commands that a page prints as lines of a block."""
    text = "\n".join(re.findall(r"^```[a-z]*\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.M))
    return [line for line in text.splitlines() if "pantau112 " in line]


def examples(command: Any = COMMAND) -> list[str]:
    """The examples of every verb's help."""
    found = [line for line in [command.epilog or ""] if "pantau112 " in line]
    return found + [example for verb in getattr(command, "commands", {}).values() for example in examples(verb)]


def words_of(command: str) -> list[str]:
    """What follows `pantau112`, as a shell would take it apart, with something in place of words in capitals."""
    _, _, rest = command.partition("pantau112 ")
    return [WORDS.get(word, word) for word in shlex.split(rest, comments=True) if not word.startswith("<")]


def understood(words: list[str]) -> None:
    """Take the words as the command line does, without doing anything. Fails for a verb or an option that there is not."""
    command: Any = COMMAND
    name, parent = "pantau112", None
    try:
        while True:
            parent = command.make_context(name, words, parent=parent)
            given = [*parent._protected_args, *parent.args]
            if not hasattr(command, "resolve_command") or (command.invoke_without_command and not given):
                return
            name, command, words = command.resolve_command(parent, given)
    except SystemExit:
        pytest.fail("it only prints its help")
    except Exception as wrong:
        pytest.fail(f"{type(wrong).__name__}: {wrong}")


def printed() -> list[str]:
    runbook = [command for page in RUNBOOK for command in (*spans(page), *blocks(page))]
    return list(dict.fromkeys([*runbook, *(command for page in PAGES for command in blocks(page)), *examples()]))


@pytest.mark.parametrize("command", printed())
def test_a_printed_command_has_verbs_and_options_that_there_are(command: str) -> None:
    understood(words_of(command))


def test_commands_are_found_where_they_are_printed() -> None:
    assert all(
        len(found) > 1 for found in (examples(), [command for page in RUNBOOK for command in spans(page)], blocks(PAGES[0]))
    )
    assert len(printed()) > 30
    for wrong in (["mesure", "x"], ["measure", "x", "--of", "y"], ["measure"], ["topics"]):
        with pytest.raises(pytest.fail.Exception):
            understood(wrong)


@pytest.mark.parametrize("command", list(dict.fromkeys(command for page in RUNBOOK for command in spans(page))))
def test_a_command_of_the_runbook_runs_as_printed_as_far_as_it_needs_no_kafka(command: str, tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text("1732500000|u1|112|NONE|ENTERQUEUE|||1\n")
    edge = tmp_path / "edge.toml"
    edge.write_text('spool = "spool.db"\nto = "kafka"\n[[follow]]\nfile = "queue_log"\n')
    places = {"QUEUE_LOG": str(log), "FILE": str(log), "edge.toml": str(edge)}
    words = [places.get(word, word) for word in words_of(command)]

    said = pantau112(*words, PANTAU112_BOOTSTRAP="127.0.0.1:1")

    assert said.returncode == 0 or "no Kafka at 127.0.0.1:1" in said.stdout + said.stderr
