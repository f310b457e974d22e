"""CONTRACT: what ``manifest.json`` of an artifact holds, and what it may hold.

Every class here refuses unknown and missing keys, wrong types and numbers that
contradict each other, so that whoever holds a :class:`Manifest` need not check
it again.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.artifact.abstention import Abstention
from edge.artifact.budgets import (
    MAX_LICENCE_LETTERS,
    MAX_MODEL_BYTES,
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    check_features,
    check_window,
)
from edge.artifact.checks import (
    build,
    finite,
    items,
    json_object,
    one_line,
    plain,
    record,
    shallow,
    short,
    text,
    texts,
    whole,
)
from edge.artifact.gate import TrainedGate
from edge.artifact.parts import (
    Normalisation,
    Quantization,
    Reference,
    TensorSpec,
    read_sizes,
    read_tensors,
    read_voice_reference,
)
from edge.digest import sha256_hex
from edge.errors import ArtifactError, ParameterError, shown
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from edge.models.base import Sizes
from edge.runtimes.registry import RUNTIMES, known_runtimes

__all__ = ["SCHEMA_VERSION", "Manifest"]

SCHEMA_VERSION = 1

_OF_THE_MODEL = (
    "architecture", "labels", "languages", "feature_fingerprint", "window_frames", "window_hop",
    "normalisation", "training", "abstention", "gate", "voice_reference",
)  # fmt: skip

#: Keys that came later: a manifest without one is written without it again.
_OPTIONAL = ("abstention", "gate", "voice_reference")

_ACCURACY_KEYS = ("split", "metric", "value", "n", "command", "commit")


@dataclasses.dataclass(frozen=True, repr=False)
class Manifest:
    """Everything the device must know about a model besides its weights.

    Build it with :meth:`from_dict`, which checks; the constructor does not.
    """

    schema_version: int
    name: str
    backend: str
    model_file: str
    model_sha256: str
    model_bytes: int
    architecture: Sizes
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...]
    # Files of schema 1 say languages: a corpus stood for the language spoken in it.
    corpora: tuple[str, ...] = dataclasses.field(metadata={"key": "languages"})
    default_corpus: str = dataclasses.field(metadata={"key": "default_language"})
    feature_spec: FeatureSpec
    feature_fingerprint: str
    window_frames: int
    window_hop: int
    normalisation: Normalisation
    temperature: float
    quantization: Quantization
    training: Mapping[str, Any]
    accuracy: tuple[Mapping[str, Any], ...]
    licence: str
    reference: Reference
    abstention: Abstention | None = None
    gate: TrainedGate | None = None
    voice_reference: VoiceReference | None = None

    def __repr__(self) -> str:
        return (
            f"<Manifest of {self.name!r}: {self.architecture.type} for {self.backend}, "
            f"{self.model_bytes} bytes, SHA-256 {self.model_sha256[:12]}>"
        )

    @property
    def mean(self) -> npt.NDArray[np.float32]:
        """``normalisation.mean`` as float32 [shape=(n_features,)]."""
        return np.array(self.normalisation.mean, dtype=np.float32)

    @property
    def std(self) -> npt.NDArray[np.float32]:
        """``normalisation.std`` as float32 [shape=(n_features,)]."""
        return np.array(self.normalisation.std, dtype=np.float32)

    def corpus_id(self, corpus: str | None = None) -> int:
        """Row of the corpus embedding for a name, ``default_corpus`` for None.

        Raises
        ------
        ParameterError
            If the model does not know the corpus.
        """
        corpus = self.default_corpus if corpus is None else corpus
        if not isinstance(corpus, str) or corpus not in self.corpora:
            raise ParameterError(
                f"corpus is {shown(corpus)}, this model knows {', '.join(self.corpora)}"
            )
        return self.corpora.index(corpus)

    @property
    def model_identity(self) -> str:
        """SHA-256 of what two artifacts have in common that are kinds of one model, as hexadecimal.

        Network, labels, corpora, features, window, normalisation, training, when to
        abstain, the speech gate and the reference for a voice: all but how the weights
        are stored, by whom they are run, and what was measured of that.
        """
        fields = self.to_dict()
        shared = {key: fields[key] for key in _OF_THE_MODEL if key in fields}
        text = json.dumps(shared, sort_keys=True)
        return sha256_hex(text.encode())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, the inverse of :meth:`from_dict`."""
        fields: dict[str, Any] = plain(
            dataclasses.replace(self, training={}, accuracy=(), abstention=None, gate=None)
        )
        fields["training"] = dict(self.training)
        fields["accuracy"] = [dict(entry) for entry in self.accuracy]
        fields["feature_spec"] = self.feature_spec.to_dict()
        if self.abstention is not None:
            fields["abstention"] = self.abstention.to_dict()
        if self.gate is not None:
            fields["gate"] = self.gate.to_dict()
        return {k: v for k, v in fields.items() if not (k in _OPTIONAL and v is None)}

    @property
    def digest(self) -> str:
        """SHA-256 of all that is said here, as hexadecimal.

        The model file's own is among it, so that one number names model, gate and settings.
        """
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return sha256_hex(text.encode())

    def to_json(self) -> str:
        """Write the text of ``manifest.json``, one line for every key.

        Raises
        ------
        ArtifactError
            If ``training`` or ``accuracy`` hold what JSON cannot.
        """
        try:
            lines = [
                f"  {json.dumps(key)}: {json.dumps(value, allow_nan=False, ensure_ascii=False)}"
                for key, value in self.to_dict().items()
            ]
        except (TypeError, ValueError, RecursionError) as error:
            raise ArtifactError(f"the manifest cannot be written as JSON: {error}") from error
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @classmethod
    def from_dict(cls, value: object) -> Manifest:
        """Check and build from plain JSON types.

        Raises
        ------
        ArtifactError
            If a key is unknown or missing, a value has the wrong type or length,
            or two values contradict each other; the sentence names the key.
        """
        version = value.get("schema_version") if isinstance(value, Mapping) else SCHEMA_VERSION
        if not isinstance(version, int) or version != SCHEMA_VERSION:
            raise ArtifactError(
                f"schema_version is {short(version)}, this edge-ser reads "
                f"{SCHEMA_VERSION}: it was written by another version"
            )
        fields = record("the manifest", value, cls)
        one_line("name", fields["name"])
        one_line("licence", fields["licence"], MAX_LICENCE_LETTERS)
        if not isinstance(fields["backend"], str) or fields["backend"] not in RUNTIMES:
            raise ArtifactError(
                f"backend is {short(fields['backend'])}, one of {known_runtimes()} is wanted"
            )
        _check_model_file(fields)
        architecture = read_sizes(fields["architecture"])
        fields["architecture"] = architecture
        fields["inputs"] = read_tensors("inputs", fields["inputs"], architecture)
        fields["outputs"] = read_tensors("outputs", fields["outputs"], architecture)
        fields["labels"] = texts("labels", fields["labels"], architecture.n_labels)
        fields["languages"] = texts("languages", fields["languages"], architecture.n_corpora)
        default = text("default_language", fields["default_language"])
        if default not in fields["languages"]:
            raise ArtifactError(
                f"default_language is {short(default)}, one of "
                f"{', '.join(fields['languages'])} is wanted"
            )
        fields["feature_spec"] = _feature_spec(fields, architecture)
        n_frames = whole("window_frames", fields["window_frames"], 1)
        if whole("window_hop", fields["window_hop"], 1) > n_frames:
            raise ArtifactError(
                f"window_hop {fields['window_hop']} is more than window_frames {n_frames}: "
                "frames between two windows would never be heard"
            )
        check_window(architecture, fields["feature_spec"], n_frames, fields["window_hop"])
        fields["normalisation"] = Normalisation.from_dict(
            fields["normalisation"], fields["feature_spec"].n_features
        )
        temperature = fields["temperature"] = finite("temperature", fields["temperature"])
        if temperature <= 0:
            raise ArtifactError(f"temperature is {temperature}, above 0 is wanted")
        if not MIN_TEMPERATURE <= temperature <= MAX_TEMPERATURE:
            raise ArtifactError(
                f"temperature is {temperature}, {MIN_TEMPERATURE} to {MAX_TEMPERATURE:g} is wanted"
            )
        fields["quantization"] = Quantization.from_dict(fields["quantization"])
        for name in ("training", "accuracy"):
            shallow(name, fields[name])
        fields["training"] = json_object("training", fields["training"])
        fields["accuracy"] = tuple(
            json_object(f"accuracy[{index}]", entry, _ACCURACY_KEYS)
            for index, entry in enumerate(items("accuracy", fields["accuracy"]))
        )
        fields["reference"] = Reference.from_dict(fields["reference"], architecture)
        if "abstention" in fields:
            fields["abstention"] = Abstention.from_dict(fields["abstention"])
        if "gate" in fields:
            fields["gate"] = TrainedGate.from_dict(fields["gate"], fields["feature_spec"])
        if "voice_reference" in fields:
            fields["voice_reference"] = read_voice_reference(
                fields["voice_reference"], fields["feature_spec"]
            )
        return build(cls, fields)


def _check_model_file(fields: Mapping[str, Any]) -> None:
    name = text("model_file", fields["model_file"])
    # A bare name of plain characters: no folder, no drive, no "..".
    if not re.fullmatch(r"model\.[A-Za-z0-9]{1,16}", name):
        raise ArtifactError(
            f"model_file is {short(name)}, a bare name such as 'model.npz' or 'model.onnx' is "
            "wanted"
        )
    # What a file is called tells a person what opening it does.
    wanted = RUNTIMES[fields["backend"]].model_file
    if name != wanted:
        raise ArtifactError(
            f"model_file is {name!r}, a model for backend {fields['backend']!r} is called {wanted}"
        )
    digest = text("model_sha256", fields["model_sha256"])
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ArtifactError(f"model_sha256 is {short(digest)}, 64 digits of 0-9 and a-f are wanted")
    whole("model_bytes", fields["model_bytes"], 1, MAX_MODEL_BYTES)


def _feature_spec(fields: Mapping[str, Any], architecture: Sizes) -> FeatureSpec:
    settings = json_object("feature_spec", fields["feature_spec"])
    try:
        spec = FeatureSpec.from_dict(settings)
    except (ParameterError, TypeError, ValueError, OverflowError) as error:
        raise ArtifactError(f"feature_spec cannot be used: {error}") from error
    check_features(spec)
    fingerprint = text("feature_fingerprint", fields["feature_fingerprint"])
    if spec.fingerprint != fingerprint:
        raise ArtifactError(
            f"feature_fingerprint is {short(fingerprint)} but feature_spec gives "
            f"{spec.fingerprint!r}: one of them was edited"
        )
    # Beside the features, how much of a voice's mean was taken away.
    n_more = 1 if "voice_reference" in fields else 0
    if spec.n_features + n_more != architecture.n_features:
        more = ", voice_reference 1 more" if n_more else ""
        raise ArtifactError(
            f"feature_spec gives {spec.n_features} features{more}, the model takes "
            f"{architecture.n_features}"
        )
    return spec
