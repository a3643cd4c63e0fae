"""Help as it is read: aloud, once, by somebody whose language is another one."""

import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from streams.cli import app
from streams.cli.day import PARTS

ROOT = typer.main.get_command(app)
WORDS = 22
"""Most words of a sentence that is understood at once."""


def verbs(command: Any = ROOT, name: str = "pantau112", parent: Any = None) -> Iterator[tuple[str, Any, str]]:
    """Every verb by its whole name, with its help as a terminal of 80 columns shows it."""
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    yield context.command_path, command, command.get_help(context)
    for child, verb in getattr(command, "commands", {}).items():
        yield from verbs(verb, child, context)


HELP = {name: (command, text) for name, command, text in verbs()}


def sentences(text: str) -> list[str]:
    """What is read in one breath. A colon and a semicolon are places to take one."""
    return [said for said in re.split(r"(?<=[.:;!?])\s+|\n\n", " ".join(text.split(" "))) if said.strip()]


@pytest.mark.parametrize("name", HELP)
def test_a_sentence_is_understood_at_once(name: str) -> None:
    command, _ = HELP[name]
    told = [command.help or "", *(getattr(parameter, "help", None) or "" for parameter in command.params)]
    assert [said for text in told for said in sentences(text) if len(said.split()) > WORDS] == []


@pytest.mark.parametrize("name", HELP)
def test_every_option_and_argument_is_explained_and_the_word_for_its_value_is_one(name: str) -> None:
    command, text = HELP[name]
    options = [parameter for parameter in command.params if parameter.name != "help"]
    assert [parameter.name for parameter in options if not getattr(parameter, "help", None)] == []
    assert re.findall(r"--[\w-]+ <(?:str|int|float|path|datetime|list)[^>]*>", text) == []


@pytest.mark.parametrize("name", HELP)
def test_no_verb_is_cut_off_in_the_list_that_names_it(name: str) -> None:
    assert [line for line in HELP[name][1].splitlines() if re.search(r"[a-z]\.\.\.$", line)] == []


def test_every_verb_stands_once_in_the_order_of_a_day() -> None:
    listed = [verb for verbs in PARTS.values() for verb in verbs]
    assert sorted(listed) == sorted(ROOT.commands)  # type: ignore[attr-defined]
    shown = HELP["pantau112"][1]
    places = [shown.index(f"\n{part}:\n") for part in PARTS]
    assert places == sorted(places)
    assert [line.split()[0] for line in shown[places[0] :].splitlines() if re.match(r"  \w[\w-]* {2,}\w", line)] == listed


def test_the_version_is_said() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.output) == (0, f"pantau112 {version('pantau112')}\n")
