"""The days behind a simulated centre, in Prometheus: a process beside it, which ends when they are there."""

import json
import logging
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from schemas.topics import TOPICS
from streams import centres, logs, settings
from streams.analysis.backfill import BackfillError, Blocks, backfill
from streams.analysis.replay import open_source
from streams.stack.web_password import local

STEP = 120
"""Seconds between two moments: a chart looks back for five minutes, and a rate over five needs two."""
BLOCK_HOURS = 18
"""As long as one of Prometheus's, and so short that its text is not large."""
SHOWN_SECONDS = 300.0
"""How long Prometheus may take to find new blocks; it looks every minute."""
ANSWER_SECONDS = 120.0
NICE = 10
"""What happens now goes first."""


class History(NamedTuple):
    """What is behind a centre since a moment, epoch seconds, and where it goes: the data folder of the Prometheus at `port`,
    which knows the password of `home`.

    `work` is a folder of this process, there as long as not all is done; `instance` is how Prometheus calls the worker.
    """

    work: Path
    data: Path
    home: Path
    port: int
    promtool: Path
    instance: str
    since: float
    centres: tuple[str, ...]

    def command(self) -> list[str]:
        """The process."""
        return [sys.executable, "-m", "streams.stack.history", *map(str, self[:-1]), *self.centres]

    @classmethod
    def read(cls, said: list[str]) -> "History":
        """What `command` says."""
        work, data, home, port, promtool, instance, since, *known = said
        return cls(Path(work), Path(data), Path(home), int(port), Path(promtool), instance, float(since), tuple(known))

    def write(self) -> None:
        """Write what is in Kafka, up to now, and then what the recording rules say of it. Raises `BackfillError`, `OSError`."""
        scratch = self.work / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        until = int(time.time())
        moments = range(until - int(until - self.since) // STEP * STEP, until + 1, STEP)
        known = centres.load([Path(path) for path in self.centres])
        told = "topic:" + ",".join(topic.name for topic in TOPICS)
        lines = open_source(told, next(iter(known.values())), settings.read(os.environ))
        blocks = Blocks(self.promtool, scratch, BLOCK_HOURS)
        backfill(lines, known, moments, {"job": "pantau112", "instance": self.instance}, blocks)
        self._hand_over(blocks)
        self._wait(moments[0] + 3600)
        self._record(moments, blocks)
        self._hand_over(blocks)
        shutil.rmtree(self.work)

    def _hand_over(self, blocks: Blocks) -> None:
        """Prometheus finds what is in its folder by itself; each block is there whole, and the oldest last."""
        for block in sorted(blocks.data.iterdir(), reverse=True):
            block.rename(self.data / block.name)

    def _wait(self, moment: int) -> None:
        """Return when Prometheus knows of that moment."""
        end = time.monotonic() + SHOWN_SECONDS
        while not self._ask("query", query="psap_city_info", time=moment)["result"]:
            if time.monotonic() > end:
                raise BackfillError(f"Prometheus did not show the blocks in {self.data} within {SHOWN_SECONDS:g} s")
            time.sleep(1)

    def _record(self, moments: range, blocks: Blocks) -> None:
        """Write what the recording rules would have said. promtool would make a block of each rule and each two hours."""
        groups = self._ask("rules", type="record")["groups"]
        said: dict[int, list[str]] = {moment: [] for moment in moments}
        for rule in [rule for group in groups for rule in group["rules"]]:
            asked = {"query": rule["query"], "start": moments[0], "end": moments[-1], "step": STEP}
            for series in self._ask("query_range", **asked)["result"]:
                labels = series["metric"] | rule.get("labels", {})
                named = ",".join(f"{name}={json.dumps(text, ensure_ascii=False)}" for name, text in sorted(labels.items()))
                for moment, value in series["values"]:
                    said[int(moment)].append(f"{rule['name']}{{{named}}} {value}")
        for moment, samples in said.items():
            blocks.write(moment, samples)
        blocks.finish()

    def _ask(self, how: str, **question: object) -> Any:
        """What Prometheus answers. Raises `OSError`."""
        return local(self.home, self.port).ask(f"/api/v1/{how}", question, ANSWER_SECONDS)["data"]


def main() -> int:
    """Write it. Exit codes: 0 done, 1 failed."""
    os.nice(NICE)
    logs.begin()
    began, history = time.monotonic(), History.read(sys.argv[1:])
    try:
        history.write()
    except (BackfillError, OSError) as error:
        logs.tell(f"history: {error}", logging.ERROR)
        return 1
    logs.tell(f"history: all since {history.since:.0f} is in Prometheus, after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
