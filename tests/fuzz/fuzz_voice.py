"""Manifests that take a reference for a voice, and the file of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from artifact_fakes import make_voice_artifact, voice_fields

import edge
from edge.stream.voice_file import read_voice, write_voice
from fuzz.fuzz_toml import make_special
from fuzz.fuzz_wav import demo_samples
from fuzz.judge import check, check_decision, manifest_of, write_folder
from fuzz.mutate import mutate_json, mutate_text
from fuzz.target import Trial

__all__ = ["VoiceTarget"]


class VoiceTarget:
    """Through a stream that goes on with a voice, long enough for the reference to act."""

    may_probe = False
    needs = ()
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Make a model, and the file of what it has heard."""
        folder = seeds / "voice"
        self._clip = demo_samples()[20_000:62_000]
        if not (folder / "manifest.json").exists():
            reference = {**voice_fields()["voice_reference"], "least_s": 0.1}
            make_voice_artifact(folder, voice_reference=reference)
        self._classifier = edge.load(folder, "numpy")
        self._manifest = manifest_of(folder)
        self._model = (folder / "model.npz").read_bytes()
        stream = self._classifier.stream()
        stream.push(self._clip)
        check(stream.voice is not None and stream.voice.reference_s > 0, "nobody was heard")
        file = seeds / "voice.json"
        write_voice(str(file), stream.voice.state())
        self._text = file.read_text()

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Change the one or the other."""
        rng, path = trial.rng, trial.folder / "voice.json"
        kind = rng.random()
        if kind < 0.4:
            reference = self._manifest["voice_reference"]
            changed = {**self._manifest, "voice_reference": mutate_json(rng, reference)}
            content = json.dumps(changed).encode("utf-8", "surrogatepass")
            write_folder(trial.folder / "m", content, "model.npz", self._model)
            return lambda: self._hear(edge.load(trial.folder / "m", "numpy"), None)
        if kind < 0.75:
            text = json.dumps(mutate_json(rng, json.loads(self._text)))
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        elif kind < 0.97:
            path.write_bytes(mutate_text(rng, self._text))
        else:
            make_special(rng, path)
        return lambda: self._hear(self._classifier, path)

    def _hear(self, classifier: Any, path: Path | None) -> None:
        state = None if path is None else read_voice(str(path), classifier.spec)
        stream = classifier.stream(voice_reference=True if state is None else state)
        for decision in stream.push(self._clip) + stream.flush():
            check_decision(decision, classifier.labels)
            check(decision.reference_s is not None and decision.reference_s >= 0, decision)
