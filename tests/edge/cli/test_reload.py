"""SIGHUP reads the options anew, and nothing that was heard is lost by it."""

from __future__ import annotations

import json
import os
import pty
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running_cli import Running
from runtime_fakes import voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli.reload import KeptSource, Reloader, RunStop
from edge.sources.base import Block, Gap, Status, Stop

WORD = Status("reloaded", "again")


class Ticks:
    """Blocks of one sample that count."""

    name = "ticks"

    def __init__(self, n: int = 100) -> None:
        self.waited_s = 0.0
        self.n = n
        self.is_closed = False

    def blocks(self, stop: Stop) -> Iterator[Block | Gap | Status]:
        try:
            for value in range(self.n):
                if stop.requested:
                    return
                self.waited_s += 1.0
                yield Block(np.full(1, value, np.float32))
        finally:
            self.is_closed = True


def values(items: list[Any]) -> list[int]:
    return [int(item.samples[0]) for item in items if isinstance(item, Block)]


def test_a_kept_source_goes_on_with_the_next_sample() -> None:
    whole, ticks = Stop(), Ticks()
    kept, heard = KeptSource(ticks, whole), []
    for run in range(3):
        stop = RunStop(whole)
        if run:
            kept.go_on(WORD, 1)
        blocks = kept.blocks(stop)
        for item in blocks:
            heard.append(item)
            if isinstance(item, Block) and len(values(heard)) % 10 == 0:
                stop.request()
        blocks.close()
        assert kept.waited_s == 10.0
    assert values(heard) == list(range(30))
    assert [item for item in heard if isinstance(item, Status)] == [WORD, WORD]
    assert not ticks.is_closed
    assert not kept.has_ended
    kept.close()
    assert ticks.is_closed


def test_a_source_that_is_told_to_end_hands_over_what_it_has() -> None:
    class Batch(Ticks):
        def blocks(self, stop: Stop) -> Iterator[Block | Gap | Status]:
            while not stop.requested:
                for value in range(5):
                    yield Block(np.full(1, value, np.float32))

    whole = Stop()
    kept = KeptSource(Batch(), whole)
    heard = []
    for item in kept.blocks(RunStop(whole)):
        heard.append(item)
        kept.stop.request()
    assert values(heard) == [0, 1, 2, 3, 4]
    assert not kept.has_ended


def test_the_end_of_all_ends_the_run_and_the_source() -> None:
    whole, ticks = Stop(), Ticks()
    kept = KeptSource(ticks, whole)
    stop = RunStop(whole)
    whole.request()
    assert stop.requested
    assert kept.stop.requested
    assert list(kept.blocks(stop)) == []


def test_a_source_that_ends_right_after_a_reload_was_no_empty_one() -> None:
    whole = Stop()
    kept = KeptSource(Ticks(3), whole)
    first = RunStop(whole)
    for _ in kept.blocks(first):
        first.request()
    kept.go_on(WORD, 50)
    second = RunStop(whole)
    assert values(list(kept.blocks(second))) == [1, 2]
    assert second.requested
    assert kept.has_ended


def test_plans_are_made_one_at_a_time_and_a_bad_one_is_told() -> None:
    came: queue.Queue[object] = queue.Queue()
    content = iter(["new", ValueError("bad"), "newer"])

    def prepare() -> str:
        one = next(content)
        if isinstance(one, Exception):
            raise one
        return one

    with Reloader(prepare, came.put, came.put) as reloader:
        got = []
        for _ in range(3):
            reloader.ask()
            got.append(came.get(timeout=10))
    assert [str(one) for one in got] == ["new", "bad", "newer"]
    assert "reload" not in [thread.name for thread in threading.enumerate()]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "long.wav"
    write_wav(path, voice(480_000), 16_000)
    return path


@pytest.fixture
def start(tiny_artifact: Artifact) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*words: object, **options: Any) -> Running:
        running.append(Running("--artifact", tiny_artifact.path, "--json", *words, **options))
        return running[-1]

    yield begin
    for one in running:
        one.kill()


def lengths(path: Path, segment_s: object, hop_s: object, more: str = "") -> None:
    path.write_text(f"[listen]\nsegment = {segment_s}\nhop = {hop_s}\n{more}")


def test_sighup_takes_new_lengths_without_losing_a_sample(
    start: Callable[..., Running], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    lengths(file, 0.2, 0.1)
    running = start("--source", clip, "--config", file)
    before = [running.record() for _ in range(3)]
    lengths(file, 0.4, 0.3)
    running.process.send_signal(signal.SIGHUP)
    before += running.until("summary")
    decisions = [one for one in before if one["type"] == "decision"]
    # Every segment that was whole has its decision.
    assert before[-1]["decisions"] == len(decisions)
    assert before[-1]["audio_s"] - decisions[-1]["end_s"] < 0.1 + 0.033
    word, first = running.record(), running.record()
    assert (word["type"], word["status"]) == ("status", "reloaded")
    assert first["start_s"] == 0
    assert first["end_s"] == pytest.approx(0.4, abs=0.04)
    second = running.decision()
    assert second["end_s"] - first["end_s"] == pytest.approx(0.3, abs=0.04)
    assert running.end()


def test_a_pipe_goes_on_where_it_was(
    start: Callable[..., Running], tiny_artifact: Artifact, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    lengths(file, 0.2, 0.1)
    running = start("--source", "-", "--config", file)
    raw = (voice(16_000) * 32767).astype("<i2").tobytes()
    # The half of a sample stays behind in the pipe.
    running.process.stdin.buffer.write(raw[:16_001])
    running.process.stdin.flush()
    running.record()
    lengths(file, 0.2, 0.1, "fast = true\n")
    lengths(file, 0.4, 0.1)
    running.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    running.process.stdin.buffer.write(raw[16_001:])
    running.process.stdin.close()
    records = [json.loads(line) for line in running.process.stdout]
    assert running.process.wait(timeout=60) == 0
    summaries = [one for one in records if one["type"] == "summary"]
    assert len(summaries) == 2
    assert sum(one["audio_s"] for one in summaries) == pytest.approx(1.0, abs=0.002)


def test_another_source_is_opened_anew(
    start: Callable[..., Running], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    lengths(file, 0.2, 0.1, f'source = "{clip}"\n')
    running = start("--config", file)
    running.record()
    lengths(file, 0.2, 0.1, 'source = "demo"\n')
    running.process.send_signal(signal.SIGHUP)
    running.until("summary")
    assert "the bundled dialogue" in running.said("dialogue")
    assert running.decision()["start_s"] == 0
    running.end()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("[listen]\nsegmnt = 1", "segmnt is an unknown key: did you mean segment?"),
     ("[listen]\nsegment = 0.001\nhop = 0.1", "comes from"),
     ("[listen]\nartifact = '/nowhere'", "/nowhere"),
     (None, "is not there")],
)  # fmt: skip
def test_a_broken_file_keeps_the_old_options_and_is_said_once(
    content: str | None, sentence: str, start: Callable[..., Running], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    lengths(file, 0.1, 0.05, f'artifact = "{clip.parent}"\n')
    running = start("--source", clip, "--config", file)
    if content is not None and "artifact" in content:
        # The command line has one, and it beats the file.
        content = content.replace("artifact = '/nowhere'", "source = 3\n # /nowhere")
    first = running.record()
    file.unlink() if content is None else file.write_text(content)
    running.process.send_signal(signal.SIGHUP)
    said = running.said("stay as they were")
    assert said.startswith("edge-ser: warning: the options stay as they were: ")
    following = [running.record() for _ in range(4)]
    assert {one["type"] for one in following} == {"decision"}
    starts_s = [one["start_s"] for one in (first, *following)]
    assert np.ptp(np.diff(starts_s)) < 0.002
    running.end()
    assert sum("stay as they were" in line for line in running.err.queue) == 0


def test_a_closing_terminal_ends_it_and_loses_nothing(
    start: Callable[..., Running], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    lengths(file, 0.2, 0.1)
    main_end, terminal = pty.openpty()

    def take_terminal() -> None:
        import fcntl
        import termios

        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    kept = tmp_path / "kept.jsonl"
    running = start(
        "--source", clip, "--config", file, "--to", f"jsonl:{kept}",
        stdin=terminal, preexec_fn=take_terminal,
    )  # fmt: skip
    running.process.stdin = open(os.devnull)  # noqa: SIM115 - closed with the others
    running.record()
    os.close(terminal)
    os.close(main_end)
    assert running.process.wait(timeout=60) == -signal.SIGHUP
    assert json.loads(kept.read_text().splitlines()[-1])["type"] == "summary"


def test_without_a_file_the_signal_ends_it_in_good_order(
    start: Callable[..., Running], clip: Path
) -> None:
    running = start("--source", clip, "--segment", 0.2, "--hop", 0.1)
    running.record()
    running.process.send_signal(signal.SIGHUP)
    # In good order: nothing that was heard is lost.
    assert running.until("summary")[-1]["type"] == "summary"
    assert running.process.wait(timeout=60) == -signal.SIGHUP


def test_signals_of_all_sorts_at_once_end_in_good_order(
    start: Callable[..., Running], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    lengths(file, 0.2, 0.1)
    running = start("--source", clip, "--config", file)
    running.record()
    for _ in range(200):
        running.process.send_signal(signal.SIGHUP)
    first = running.until("summary")[-1]
    records = [first, *map(json.loads, running.end().splitlines())]
    # The end may come between two runs.
    assert records[-1]["type"] == "summary"


def test_ignored_from_the_start_stays_ignored(
    start: Callable[..., Running], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    lengths(file, 0.2, 0.1, "duration = 0.6\n")
    running = start(
        "--source", clip, "--config", file,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    running.record()
    running.process.send_signal(signal.SIGHUP)
    records = [json.loads(line) for line in running.process.stdout]
    assert running.process.wait(timeout=60) == 0
    assert {one["type"] for one in records} == {"decision", "summary"}


def test_the_duration_counts_on_through_a_reload(
    start: Callable[..., Running], clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "c.toml"
    lengths(file, 0.2, 0.1, "duration = 1.4\n")
    running = start("--source", clip, "--config", file)
    running.record()
    running.process.send_signal(signal.SIGHUP)
    records = [json.loads(line) for line in running.process.stdout]
    assert running.process.wait(timeout=60) == 0
    heard_s = [one["audio_s"] for one in records if one["type"] == "summary"]
    assert len(heard_s) == 2
    assert sum(heard_s) == pytest.approx(1.4, abs=0.002)
