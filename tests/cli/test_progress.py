"""How far a verb is: by what was read of its inputs, whatever they are."""

from pathlib import Path

from rich.progress import Progress

from streams.cli.terminal import Tick
from streams.log.reader import Reading
from streams.sources.opened import Opened


def test_of_a_file_and_a_range_of_topics_the_whole_is_both_and_what_passed_of_either_counts(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"12345678\n" * 1_000)
    progress, reading = Progress(disable=True), Reading({("112.calls.v1", 0): (0, 5_000)}, 5_000)
    tick = Tick(progress, "events")
    [task] = progress.tasks
    with Opened(file) as opened:
        tick.watch(opened)
        assert task.total == 1
        tick.watch(reading)
        list(tick(opened.lines()))
    reading.done = 2_500
    list(tick(range(2_500)))
    assert (task.total, task.completed) == (2, 1.5)
    assert task.fields["count"] == 3_000
    assert task.fields["rate"].endswith("/s")


def test_with_a_pipe_among_the_inputs_nobody_knows_the_whole(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"12345678\n")
    progress = Progress(disable=True)
    tick = Tick(progress, "events")
    with Opened(file) as opened, Opened(file) as pipe:
        pipe.size = None
        tick.watch(opened)
        tick.watch(pipe)
    assert progress.tasks[0].total is None
