"""Whatever an engineer's Alertmanager configuration names beside it is beside the copy that `up` starts."""

from pathlib import Path

from streams.stack.debian import Programs
from streams.stack.prometheus import alertmanager

NONE = Path("/bin/true")
PROGRAMS = Programs(NONE, NONE, NONE, NONE, None)


def started(config: Path, home: Path, here: dict[str, str]) -> Path:
    """The folder that Alertmanager is started in."""
    service = alertmanager(PROGRAMS, home=home, data=home / "data", port=1, config=config, here=here)
    assert f"--config.file={config.name}" in service.command
    return home / "alertmanager"


def test_templates_and_secrets_beside_the_configuration_are_found_by_its_own_paths(tmp_path: Path) -> None:
    config = tmp_path / "ours" / "alertmanager.yml"
    (config.parent / "secrets").mkdir(parents=True)
    config.write_text("receivers: [{name: local, webhook_configs: [{url: http://pages:9113/}]}]")
    (config.parent / "secrets" / "token").write_text("1:x")
    (config.parent / "page.tmpl").write_text("http://127.0.0.1:11206/d/")
    (config.parent / "own.tmpl").write_text("own")
    folder = started(config, tmp_path / "home", {"pages:9113": "127.0.0.1:1", "127.0.0.1:11206": "127.0.0.1:2"})

    assert "http://127.0.0.1:1/" in (folder / "alertmanager.yml").read_text()
    assert (folder / "secrets/token").read_text() == "1:x"
    assert (folder / "page.tmpl").read_text() == "http://127.0.0.1:2/d/"
    assert (folder / "own.tmpl").read_text() == "own"


def test_what_was_taken_away_is_gone_at_the_next_start_and_what_lies_there_itself_is_kept(tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text("receivers: []")
    old = tmp_path / "old.tmpl"
    old.write_text("old")
    started(config, tmp_path, {})
    (tmp_path / "old.tmpl").unlink()
    folder = started(config, tmp_path, {})

    assert [path.name for path in folder.iterdir() if path.suffix == ".tmpl"] == []
    assert config.read_text() == (folder / "alertmanager.yml").read_text() == "receivers: []"


def test_somebody_who_took_the_local_webhook_away_is_not_refused(tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text("receivers: [{name: telegram}]")

    assert (started(config, tmp_path / "home", {"pages:9113": "127.0.0.1:1"}) / "alertmanager.yml").exists()
