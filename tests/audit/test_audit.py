"""The list of parts is what the lock files name, each with a licence; and what nobody was asked about is not taken to be well."""

import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.spdx import is_expression, is_supported_id
from cyclonedx.validation.json import JsonStrictValidator

from tests.audit.__main__ import verdict
from tests.audit.advisories import KEPT, Answer, heard, keep, kept
from tests.audit.bill import BILL, NotSaidError, differences, licence
from tests.audit.parts import LOCKS, ROOT, Part, parts, pinned

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
PARTS = parts()
AIOHTTP = next(part for part in PARTS if part.name == "aiohttp")
JAR = next(part for part in PARTS if part.kind == "maven")


def test_the_list_is_what_the_lock_files_name() -> None:
    assert differences(BILL.read_text(), PARTS) == []


def test_every_part_has_a_licence_that_spdx_knows() -> None:
    for one in json.loads(BILL.read_text())["components"]:
        [said] = one["licenses"]
        text = said.get("expression") or said["license"].get("id")
        assert text, one["name"]
        assert is_supported_id(text) or is_expression(text), one["name"]


def test_the_list_is_in_the_form_of_cyclonedx() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(BILL.read_text()) is None


@pytest.mark.parametrize(
    "changed",
    [
        AIOHTTP._replace(version="0.0.1"),
        AIOHTTP._replace(use="tests"),
        JAR._replace(sha256="0" * 64),
        Part("pypi", "", "left-pad", "1", "runs"),
    ],
    ids=["version", "use", "hash", "new"],
)
def test_a_list_that_is_older_than_a_lock_file_is_found(changed: Part) -> None:
    others = [part for part in PARTS if part.name != changed.name]
    assert [line for line in differences(BILL.read_text(), [*others, changed]) if changed.name in line]
    assert differences(BILL.read_text(), others[1:]) != []


def test_a_part_whose_licence_nobody_says_is_refused() -> None:
    for part in (Part("pypi", "", "left-pad", "1", "runs"), Part("maven", "com.example", "x", "1", "runs", "0")):
        with pytest.raises(NotSaidError, match=r"licences\.toml"):
            licence(part)


def test_nothing_is_locked_without_a_hash() -> None:
    assert list(pinned("a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n    # via b\n")) == [("a", "1")]
    for line in ("a==1\n", "a>=1 --hash=sha256:00\n", "a\n"):
        with pytest.raises(ValueError, match="not pinned"):
            list(pinned(line))


def test_what_builds_this_project_is_locked_too_and_nothing_else_is_built() -> None:
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = {f"{name}=={version}" for name, version in pinned((ROOT / "requirements-build.lock").read_text())}
    assert set(said["build-system"]["requires"]) <= locked
    assert said["dependency-groups"]["build"] == said["build-system"]["requires"]
    for file in ("Makefile", "streams/packaging/Dockerfile", "streams/packaging/install.sh"):
        text = (ROOT / file).read_text().replace("\\\n", "")
        lines = [line for line in text.splitlines() if "pip install" in line and "uv pip" not in line]
        assert lines, file
        for line in lines:
            is_hashed = "--require-hashes" in line and "--only-binary :all:" in line
            assert is_hashed or re.search(r"--no-deps --no-build-isolation (-e |\S+/source|\.$)", line), line
    assert set(LOCKS) == {file.name for file in ROOT.glob("*.lock")}


def known(*advisories: str, asked: datetime = NOW) -> dict[str, Answer]:
    """Answers of all packages, of which aiohttp's says these."""
    when = asked.isoformat()
    found = {str(part): Answer(when, ()) for part in PARTS if part.kind == "pypi"}
    return found | {str(AIOHTTP): Answer(when, advisories)}


def test_nothing_known_against_any_is_well_and_an_advisory_is_not() -> None:
    answers = known()
    assert verdict(PARTS, answers, len(answers), NOW)[1] == 0
    lines, code = verdict(PARTS, known("GHSA-x (mended in 9.9)"), len(answers), NOW)
    assert code == 1
    assert f"{AIOHTTP}: GHSA-x (mended in 9.9)" in lines


def test_without_pypi_the_last_answers_count_and_it_is_said_of_when_they_are() -> None:
    answers = known(asked=NOW - timedelta(days=40))
    lines, code = verdict(PARTS, answers, 0, NOW)
    assert code == 0
    assert [line for line in lines if "answers of 2026-10-18T12:00:00+00:00 and later, 40 days old" in line]


def test_a_package_of_which_nobody_ever_answered_is_not_well() -> None:
    answers = known()
    del answers[str(AIOHTTP)]
    lines, code = verdict(PARTS, answers, 0, NOW)
    assert code == 1
    assert f"PyPI has never answered of {AIOHTTP}" in lines
    assert verdict(PARTS, {}, 0, NOW)[1] == 1


def test_what_is_skipped_and_what_is_no_answer_says_nothing_of_a_package() -> None:
    """As pip-audit was seen to write where its index has no such page: with exit code 0, and "No known vulnerabilities found"."""
    skipped = {"name": "numpy", "skip_reason": "Dependency not found on PyPI and could not be audited: numpy (2.5.5)"}
    bad = {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": [], "aliases": [], "description": "x"}]}
    good = {"name": "b", "version": "2", "vulns": []}
    said = json.dumps({"dependencies": [skipped, bad, good], "fixes": []})
    when = "2026-11-27T12:00:00+00:00"

    assert heard(said, ["numpy==2.5.5", "a==1", "b==2"], NOW) == {
        "a==1": Answer(when, ("PYSEC-1 (mended in no version)",)),
        "b==2": Answer(when, ()),
    }
    assert heard("", ["a==1"], NOW) == heard("[ERROR] no connection", ["a==1"], NOW) == {}


def test_answers_are_kept_as_they_were(tmp_path: Path) -> None:
    answers = {"a==1": Answer("2026-11-27T12:00:00+00:00", ("PYSEC-1 (mended in 2)",))}
    answers["b==1"] = replace(answers["a==1"], advisories=())
    keep(answers, tmp_path / "kept.json")
    assert kept(tmp_path / "kept.json") == answers
    assert kept(KEPT).keys() <= set(map(str, PARTS))
