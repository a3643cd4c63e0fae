"""A TOML file that a person wrote, as a model; what is wrong in it is said with its line."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ValidationError, ValidationInfo


def _from_its_folder(path: Path, info: ValidationInfo) -> Path:
    return path if info.context is None else info.context / path


NearPath = Annotated[Path, AfterValidator(_from_its_folder)]
"""A path in such a file; a relative one begins at the file's own folder."""

Model = TypeVar("Model", bound=BaseModel)


class TomlError(ValueError):
    """The text cannot be used; the message says line and reason, and repeats no value."""


def parse(text: str, model: type[Model], folder: Path | None = None) -> Model:
    """The model that a TOML text describes, of a file in `folder`. Raises `TomlError`."""
    try:
        return model.model_validate(tomllib.loads(text), context=folder)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"no valid TOML: {error}") from None
    except RecursionError:
        raise TomlError("no valid TOML: something in it is nested too deeply") from None
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        path = [part for part in first["loc"] if part != "[key]"]
        names = ".".join(part for part in path if isinstance(part, str))
        where = f"{names}: " if names else ""
        raise TomlError(f"line {line_of(text, path)}: {where}{_said(first['type'], first['msg'])}") from None


def line_of(text: str, path: list[str | int]) -> int:
    """The line that sets `path` or what it is in, or 1 when none does (tomllib keeps no positions)."""
    section: list[str | int] = []
    tables: dict[str, int] = {}
    found, depth = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[+)\s*([^\]]+?)\s*\]+", line):
            section = list(header[2].split("."))
            if header[1] == "[[":
                tables[header[2]] = tables.get(header[2], -1) + 1
                section.append(tables[header[2]])
            here = section
        elif key := re.match(r"\s*([\w.-]+)\s*=", line):
            here = [*section, *key[1].split(".")]
        else:
            continue
        if len(here) > depth and here == path[: len(here)]:
            found, depth = number, len(here)
    return found


def _said(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "no such setting; look at the spelling"
    if kind == "missing":
        return "is missing"
    return message.removeprefix("Value error, ")
