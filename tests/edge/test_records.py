"""What ``listen --json`` prints is what docs/records.schema.json and docs/records.md say."""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from runtime_fakes import REPOSITORY, fake_classifier, run_cli, start_cli, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli.main import main
from edge.pipeline import run_pipeline
from edge.sinks.registry import SinkSettings, make_sink
from edge.sources import Block, Gap, Status, Stop
from edge.stream.decision import Decision
from edge.stream.events import EventSettings
from edge.stream.stream import Stream

SCHEMA = json.loads((REPOSITORY / "docs" / "records.schema.json").read_text(encoding="utf-8"))
PAGE = (REPOSITORY / "docs" / "records.md").read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
CLIP = voice(96_000)


def checked(text: str) -> list[dict[str, Any]]:
    """Read records, each of which must be as the schema says, with no key beyond it."""
    records = [json.loads(line) for line in text.splitlines()]
    for record in records:
        VALIDATOR.validate(record)
        known = set(SCHEMA["required"]) | set(SCHEMA["$defs"][record["type"]]["properties"])
        assert set(record) == known, record
    return records


def kinds(records: Sequence[dict[str, Any]]) -> list[str]:
    return [record["type"] for record in records]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Six seconds: speech, and silence at both ends."""
    silence = np.zeros(48_000, np.float32)
    write_wav(tmp_path / "clip.wav", np.concatenate((silence, CLIP, silence)), 16_000)
    return tmp_path / "clip.wav"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_page_has_every_key_of_the_schema() -> None:
    for kind in SCHEMA["properties"]["type"]["enum"]:
        part = PAGE.partition(f"\n## `{kind}`")[2].partition("\n## ")[0]
        # The first column of its table.
        told = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", part, re.M))))
        assert told == set(SCHEMA["$defs"][kind]["properties"]) - {"type"}, kind
        assert set(SCHEMA["$defs"][kind]["required"]) == told, kind


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2}, {"time": None}, {"time": "2026-03-29T03:00:00+02:00"}, {"label": None},
        {"posterior": None}, {"state": "gap"}, {"skipped_hops": -1}, {"type": "frame"},
        {"posterior": {"sad": 1.5}}, {"activation": 2}, {"speech": False},
    ],
)  # fmt: skip
def test_the_schema_refuses_what_is_no_record(wrong: dict[str, object]) -> None:
    decision = Decision(
        0.0, 2.0, "speech", "sad", {"sad": 0.8}, "sad", -20.0, time_s=1.0, activation=0.2
    )
    VALIDATOR.validate(decision.to_dict())
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**decision.to_dict(), **wrong})


@pytest.fixture
def listened(
    tiny_artifact: Artifact, clip: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What is printed of the clip, in this process."""

    def listen(*options: str) -> str:
        words = ["listen", "--source", str(clip), "--artifact", str(tiny_artifact.path), "--fast"]
        assert main([*words, *options]) == 0
        return capsys.readouterr().out

    return listen


def test_records_of_a_file(listened: Callable[..., str]) -> None:
    records = checked(listened("--json"))
    summary = records[-1]
    assert kinds(records) == ["decision"] * summary["decisions"] + ["summary"]
    assert summary["states"]["quiet"] > 2
    assert summary["states"]["speech"] > 2
    assert sum(summary["states"].values()) == summary["decisions"]


def test_events_of_a_file(listened: Callable[..., str]) -> None:
    options = ["--events", "--event-min", "0", "--event-merge", "0.5"]
    records = checked(listened("--json", *options))
    summary = records[-1]
    assert summary["events"] >= 1
    assert [r.get("event") for r in records[:-1]] == ["start", "end"] * summary["events"]
    told = listened(*options).splitlines()
    assert len(told) == 2 * summary["events"]
    assert re.fullmatch(r" +\d:\d\d\.\d  \w+ +begins", told[0])
    assert re.fullmatch(
        r" +\d:\d\d\.\d  \w+ +ends after \d\.\d s, \d+ % on average, \d+ % at most", told[1]
    )


@pytest.mark.parametrize("option", ["--event-min", "--event-merge"])
@pytest.mark.parametrize("value", ["-1", "soon", "nan"])
def test_event_lengths_are_seconds(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listen", "--source", "demo", "--events", f"{option}={value}"]) == 2
    assert "is not a number of seconds from 0" in capsys.readouterr().err


def test_records_of_a_pipe(tiny_artifact: Artifact) -> None:
    raw = (CLIP * 32767).astype("<i2").tobytes()
    run = run_cli(
        "listen", "--source", "-", "--artifact", tiny_artifact.path, "--json",
        input=raw, text=False,
    )  # fmt: skip
    records = checked(run.stdout.decode())
    assert set(kinds(records)) == {"decision", "summary"}


def test_a_pipe_shows_the_time_of_day_to_a_person(tiny_artifact: Artifact) -> None:
    raw = (CLIP * 32767).astype("<i2").tobytes()
    run = run_cli(
        "listen", "--source", "-", "--artifact", tiny_artifact.path, input=raw, text=False
    )
    header, first, *_ = run.stdout.decode().splitlines()
    assert header.split()[0] == "time"
    assert re.match(r"\d\d:\d\d:\d\d  ", first)


def test_the_summary_comes_after_sigterm_and_ends_what_goes_on(
    tiny_artifact: Artifact, clip: Path
) -> None:
    process = start_cli(
        "listen", "--source", "-", "--artifact", tiny_artifact.path, "--json", "--events",
        "--event-min", "0", "--event-merge", "600",
        stdin=subprocess.PIPE, text=False,
    )  # fmt: skip
    with process:
        process.stdin.write((CLIP * 32767).astype("<i2").tobytes())
        process.stdin.flush()
        first = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    records = checked((first + out).decode())
    assert records[0]["event"] == "start"
    assert kinds(records)[-2:] == ["event", "summary"]
    assert records[-2]["event"] == "end"


class Microphone:
    """One that goes away and comes back, and some other misfortunes."""

    name, waited_s = "a microphone", 0.0

    def blocks(self, stop: Stop) -> Generator[Block | Gap | Status, None, None]:
        yield Status("waiting", "the microphone is not there yet")
        yield Status("channel", "channel 2 of 2 is listened to")
        for start in range(0, 48_000, 512):
            yield Block(CLIP[start : start + 512])
        yield Status("lost", "the microphone went away")
        yield Status("back", "the microphone is back after 3.0 s", 3.0)
        yield Gap(48_000, "the microphone was away")
        for start in range(0, 48_000, 512):
            yield Block(CLIP[start : start + 512])
        yield Gap(100, "the device was too slow")
        yield Block(np.full(40_000, 1.0, np.float32) * np.sign(np.sin(np.arange(40_000) / 9)))
        yield Gap(100, "the device was too slow")


class Skipping:
    """A stream that skips hops, and is unsure at times."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._n = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def push(self, *args: Any, live: bool = False) -> list[Decision]:
        return [self._changed(d) for d in self._stream.push(*args)]

    def _changed(self, decision: Decision) -> Decision:
        import dataclasses

        self._n += 1
        decision = dataclasses.replace(decision, skipped_hops=self._n % 3, activation=0.25)
        if self._n % 4 == 3 and decision.speech:
            decision = dataclasses.replace(decision, state="uncertain", label=None)
        return decision


@pytest.mark.parametrize("events", [False, True])
def test_records_of_a_microphone_with_every_misfortune(events: bool) -> None:
    stream = io.StringIO()
    sink = make_sink("jsonl", SinkSettings(stream, events=events))
    run_pipeline(
        Microphone(),
        Skipping(fake_classifier().stream()),
        [sink],
        events=EventSettings(0.0, 0.0) if events else None,
    )
    records = checked(stream.getvalue())
    summary = records.pop()
    assert [r["status"] for r in records if r["type"] == "status"] == [
        "waiting", "channel", "lost", "back",
    ]  # fmt: skip
    assert [r["reason"] for r in records if r["type"] == "gap"] == [
        "the microphone was away", "the device was too slow", "the device was too slow",
    ]  # fmt: skip
    assert set(kinds(records)) - {"warning"} == {
        "event" if events else "decision", "gap", "status",
    }  # fmt: skip
    counted = [r for r in records if r["type"] != "warning"]
    for key in ("dropped_samples", "skipped_hops"):
        assert sum(r[key] for r in counted) == summary[key] > 0
    assert summary["dropped_samples"] == 48_200
    assert summary["gaps"] == 3
    assert summary["states"]["uncertain"] > 0
    assert sum(summary["states"].values()) == summary["decisions"]
    assert (summary["events"] is None) is not events
    # The clipping is a warning of its own where the decision that has it is not printed.
    told = [r["warning"] for r in records if r.get("warning")]
    assert any("clip" in sentence for sentence in told)
    times = [r["time"] for r in records if r["type"] != "event"]
    assert times == sorted(times)
