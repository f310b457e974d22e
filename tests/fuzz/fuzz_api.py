"""Arguments of the public functions, and what a command line may say."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import random
import reprlib
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import edge
from edge.artifact import Manifest, read_artifact, write_artifact
from edge.audio.file import read_audio, write_wav
from edge.audio.find import find_audio_files
from edge.audio.resample import Resampler, resample
from edge.errors import EdgeSerError
from edge.explain.explain import explain
from edge.features import FeatureExtractor
from edge.runtimes.choice import open_artifact
from edge.sources.file import FileSource
from edge.stream.smoothing import SmootherSettings
from edge.stream.speech_gate import GateSettings
from fuzz.fuzz_wav import demo_samples
from fuzz.hostile import hostile_argument
from fuzz.judge import check, check_answer, check_decision, manifest_of, tiny
from fuzz.mutate import TEXTS
from fuzz.target import Trial, UnsoundError

__all__ = ["ApiTarget"]

Arguments = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Call:
    """A function, and arguments that it takes."""

    name: str
    call: Callable[..., Any]
    arguments: Arguments


class ApiTarget:
    """One call with one or two arguments that nobody expects."""

    may_probe = True
    needs = ()
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Open the small model, and know what may be called."""
        self._classifier = tiny(seeds)
        self._artifact = seeds / "tiny"
        self._clip = demo_samples()[20_000:40_000].astype(np.float32)
        self._manifest = manifest_of(self._artifact)
        self._model = (self._artifact / "model.npz").read_bytes()

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Draw a call, to make it."""
        rng = trial.rng
        path = trial.folder / "x.wav"
        write_wav(path, self._clip, 16_000)
        kind = rng.random()
        if kind < 0.12:
            argv = _command_line(rng, path, self._artifact)
            (trial.folder / "call.txt").write_text(ascii(argv))
            return lambda: _run_command(argv)
        if kind < 0.32:
            return self._conversation(trial)
        call = rng.choice(self._calls(path, trial.folder))
        arguments = dict(call.arguments)
        for _ in range(rng.choice((1, 1, 1, 2))):
            arguments[rng.choice(sorted(arguments))] = hostile_argument(rng, self._clip)
        for place in ("path", "directory"):
            # What is asked to write elsewhere does, and is right to.
            if call.name.startswith("write") and isinstance(arguments.get(place), str):
                arguments[place] = arguments[place].replace("..", "up").lstrip("/")
        (trial.folder / "call.txt").write_text(f"{call.name}\n{_described(arguments)}")
        return lambda: call.call(**arguments)

    def _calls(self, path: Path, folder: Path) -> list[_Call]:
        model, clip, labels = self._classifier, self._clip, self._classifier.labels
        lengths = {"segment_s": 1.0, "hop_s": 0.5, "corpus": None}
        answers = {**lengths, "min_probability": 0.3, "labels": None}

        def decisions(found: list[Any]) -> None:
            for decision in found:
                check_decision(decision, labels)

        def smoothing(**settings: Any) -> None:
            decisions(model.stream(smooth=SmootherSettings(**settings)).push(clip))

        def gating(**settings: Any) -> None:
            decisions(model.stream(gate=GateSettings(**settings)).push(clip))

        def opened(**settings: Any) -> None:
            decisions(model.stream(**settings).push(clip))

        def resampling(block: Any, **rates: Any) -> None:
            resampler = Resampler(**rates)
            check(bool(np.isfinite(resampler.push(block)).all()), "the samples are not finite")
            resampler.flush()

        def features(samples: Any, **settings: Any) -> None:
            extractor = FeatureExtractor(edge.FeatureSpec().with_settings(**settings))
            check(bool(np.isfinite(extractor.extract(samples)).all()), "the rows are not finite")
            extractor.push(samples)

        def source(**arguments: Any) -> None:
            from edge.sources.base import Stop

            for _ in FileSource(**arguments, fast=True).blocks(Stop()):
                pass

        return [
            _Call("load", edge.load, {"artifact_dir": self._artifact, "backend": None}),
            _Call("open_artifact", open_artifact, {"source": self._artifact, "backend": "numpy"}),
            _Call("read_artifact", read_artifact, {"directory": self._artifact}),
            _Call(
                "edge.classify_file",
                lambda **a: check_answer(edge.classify_file(**a), labels),
                {"path": path, "artifact_dir": self._artifact, "backend": None, **answers},
            ),
            _Call(
                "classify_file",
                lambda **a: check_answer(model.classify_file(**a), labels),
                {"path": path, **answers},
            ),
            _Call(
                "classify",
                lambda **a: decisions(model.classify(**a)),
                {"samples": clip, "sample_rate": 16_000, **answers},
            ),
            _Call("stream", opened, {"smooth": True, "gate": None, **answers}),
            _Call("SmootherSettings", smoothing, _defaults(SmootherSettings)),
            _Call("GateSettings", gating, _defaults(GateSettings)),
            _Call("FeatureSpec", features, {"samples": clip, **_flat(edge.FeatureSpec())}),
            _Call(
                "FeatureSpec.from_dict",
                lambda **a: edge.FeatureSpec.from_dict(a["settings"]),
                {"settings": edge.FeatureSpec().to_dict()},
            ),
            _Call("n_frames", edge.FeatureSpec().n_frames, {"n_samples": 5000}),
            _Call("n_samples", edge.FeatureSpec().n_samples, {"n_frames": 50}),
            _Call("FeatureExtractor", FeatureExtractor, {"spec": edge.FeatureSpec()}),
            _Call("Resampler", resampling, {"block": clip, "src": 44_100, "dst": 16_000}),
            _Call("resample", resample, {"samples": clip, "src": 8000, "dst": 16_000}),
            _Call("read_audio", read_audio, {"path": path}),
            _Call("find_audio_files", find_audio_files, {"paths": [folder]}),
            _Call(
                "write_wav",
                write_wav,
                {"path": folder / "y.wav", "samples": clip, "sample_rate": 16_000},
            ),
            _Call(
                "write_artifact",
                write_artifact,
                {"directory": folder / "a", "fields": self._manifest, "model": self._model},
            ),
            _Call("Manifest", lambda **a: Manifest.from_dict(a), self._manifest),
            _Call(
                "explain",
                lambda **a: explain(model, **a),
                {"samples": clip, "sample_rate": 16_000, **lengths},
            ),
            _Call("FileSource", source, {"path": path, "sample_rate": 16_000}),
        ]

    def _conversation(self, trial: Trial) -> Callable[[], None]:
        """A stream that is told sense and nonsense in turn, and must not lose its place."""
        rng = trial.rng
        steps: list[tuple[str, Arguments]] = []
        for _ in range(rng.choice((2, 5, 12))):
            kind = rng.random()
            n = rng.choice((0, 1, 512, 1023, 5000, 20_000))
            if kind < 0.5:
                steps.append(("push", {"samples": self._clip[:n]}))
            elif kind < 0.65:
                steps.append(("push", {"samples": hostile_argument(rng, self._clip)}))
            elif kind < 0.7:
                arrived = hostile_argument(rng, self._clip)
                steps.append(("push", {"samples": self._clip[:n], "arrived_s": arrived}))
            elif kind < 0.8:
                steps.append(("skip", {"n_samples": rng.choice((0, 1, 512, 16_000, 10**7))}))
            elif kind < 0.9:
                steps.append(("skip", {"n_samples": hostile_argument(rng, self._clip)}))
            else:
                steps.append((rng.choice(("flush", "reset")), {}))
        text = "\n".join(f"{name} {_described(arguments)}" for name, arguments in steps)
        (trial.folder / "call.txt").write_text(text)

        def converse() -> None:
            stream = self._classifier.stream(1.0, 0.25)
            for name, arguments in steps:
                with contextlib.suppress(EdgeSerError):
                    for decision in getattr(stream, name)(**arguments) or ():
                        check_decision(decision, self._classifier.labels)
            stream.reset()
            fresh = self._classifier.stream(1.0, 0.25)
            told, wanted = stream.push(self._clip), fresh.push(self._clip)
            check(len(told) == len(wanted), "a stream that was reset is not as a fresh one")
            same = all(
                (one.label, one.posterior, one.start_s)
                == (other.label, other.posterior, other.start_s)
                for one, other in zip(told, wanted, strict=True)
            )
            check(same, "a stream that was reset decides otherwise than a fresh one")

        return converse


def _defaults(kind: type) -> Arguments:
    return {field.name: getattr(kind(), field.name) for field in dataclasses.fields(kind)}


def _flat(spec: Any) -> Arguments:
    return {key: value for key, value in spec.to_dict().items() if key != "order"}


def _described(arguments: Arguments) -> str:
    short = reprlib.Repr()
    short.maxother = short.maxstring = 200
    return "\n".join(f"{name} = {short.repr(value)}" for name, value in arguments.items()).encode(
        "ascii", "backslashreplace"
    ).decode()  # fmt: skip


_WORDS = (
    "listen", "classify", "benchmark", "devices", "--version", "--help", "--json", "--fast",
    "--source", "--artifact", "--backend", "--segment", "--window", "--hop", "--duration",
    "--explain", "--device", "--output", "--", "-", "1", "0.5", "0.1", "1e400", "nan", "-1",
    "numpy", "claf-ser-tiny", "demo",
)  # fmt: skip


def _command_line(rng: random.Random, path: Path, artifact: Path) -> list[str]:
    """A command line that is nearly right. Nothing here opens a microphone or times for seconds."""
    if rng.random() < 0.5:
        argv = ["classify", str(path), "--artifact", str(artifact), "--backend", "numpy", "--json"]
    else:
        argv = [
            "listen",
            "--source",
            str(path),
            "--fast",
            "--artifact",
            str(artifact),
            "--backend",
            "numpy",
        ]
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(argv))
        word = rng.choice((*_WORDS, *(text.replace("\0", "") for text in TEXTS)))
        kind = rng.random()
        if kind < 0.5:
            argv[at] = word
        elif kind < 0.8:
            argv.insert(at, word)
        elif len(argv) > 1:
            del argv[at]
    if argv[0] == "benchmark" or ("listen" in argv and ("--source" not in argv or "mic" in argv)):
        argv[0] = "classify"
    # Surrogates reach a program only where the bytes of its arguments are no UTF-8.
    return [
        word.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape") for word in argv
    ]


_MARKS_OF_DIRECTION = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def _is_obeyed(letter: str) -> bool:
    """Whether a terminal does something for it: controls, halves, marks of direction."""
    is_control = unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
    return is_control or unicodedata.bidirectional(letter) in _MARKS_OF_DIRECTION


def _run_command(argv: list[str]) -> None:
    from edge.cli.main import main

    stdin, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(b""))
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in range(2))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(argv)
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdin = stdin
    for stream in (out, err):
        stream.flush()
    said = b"".join(s.buffer.getvalue() for s in (out, err)).decode("utf-8")  # type: ignore[attr-defined]
    check(code in (0, 2, None), f"exit code {code}: {said[-2000:]}")
    check("Traceback" not in said, said)
    raw = [c for c in said if c != "\n" and _is_obeyed(c)]
    if raw:
        raise UnsoundError(
            f"control characters {sorted(set(raw))!r} reach the terminal: {said[-800:]!a}"
        )
