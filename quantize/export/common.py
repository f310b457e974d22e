"""The manifest of an exported model, and the reference input it carries."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge.artifact import SCHEMA_VERSION, Abstention, TrainedGate
from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from quantize.data.features.windows import WINDOW_FRAMES, WINDOW_HOP

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = ["UNKNOWN_LANGUAGE", "ExportFacts", "manifest_fields", "reference_rows", "torch_logits"]

UNKNOWN_LANGUAGE = "unknown"
_N_REFERENCE_ROWS = 16
_N_REFERENCE_DRAWS = 32

Floats = npt.NDArray[np.float32]


@dataclasses.dataclass(frozen=True)
class ExportFacts:
    """What a manifest says beyond the weights.

    Parameters
    ----------
    name : str
        Name of the model, for people.
    spec : FeatureSpec
        The features it was trained on.
    mean, std : float [shape=(n_features,)]
        Normalisation of the feature rows.
    training : mapping
        How it was trained: corpora, split, seed, commit, n_clips, and more.
    licence : str
        Licence of the weights.
    accuracy : sequence of mappings
        Measured figures: split, metric, value, n, command, commit, and more.
    temperature : float
        The logits are divided by it.
    window_frames, window_hop : int
        Frames of a feature window and from one window to the next.
    abstention : Abstention, optional
        When the model had better say nothing.
    gate : TrainedGate, optional
        Of speech, trained on these features.
    voice_reference : VoiceReference, optional
        How the model wants references for voices.
    labels, domains : tuple of str
        What the model's outputs and the rows of its corpus embedding stand for.
    """

    name: str
    spec: FeatureSpec
    mean: Sequence[float] | Floats
    std: Sequence[float] | Floats
    training: Mapping[str, Any]
    licence: str
    labels: tuple[str, ...]
    domains: tuple[str, ...]
    accuracy: Sequence[Mapping[str, Any]] = ()
    temperature: float = 1.0
    window_frames: int = WINDOW_FRAMES
    window_hop: int = WINDOW_HOP
    abstention: Abstention | None = None
    gate: TrainedGate | None = None
    voice_reference: VoiceReference | None = None

    @property
    def n_columns(self) -> int:
        """Width of the model's input: the features, and the part where it knows references."""
        return self.spec.n_features + (self.voice_reference is not None)


# How many examples a model takes at once, None for any number, and the type of the language.
_FORMS: dict[str, tuple[int | None, str]] = {"tflite": (1, "int32")}


def manifest_fields(
    model: CLAFSER, facts: ExportFacts, backend: str | None = None
) -> dict[str, Any]:
    """Fill in what every kind of artifact has in common.

    ``backend`` is the runtime whose inputs and outputs are described, where they are
    not those of all others.

    Raises
    ------
    ParameterError
        If the model's sizes do not fit the features, labels or languages.
    """
    config = model.config
    languages = [*facts.domains, UNKNOWN_LANGUAGE]
    sizes = {
        "features": (config.n_features, facts.n_columns),
        "labels": (config.n_labels, len(facts.labels)),
        "language rows": (config.n_domains + 1, len(languages)),
    }
    for what, (found, wanted) in sizes.items():
        if found != wanted:
            raise ParameterError(f"the model has {found} {what}, {wanted} are wanted")
    architecture = {
        "type": "claf-ser",
        "n_features": config.n_features,
        "frame_stack": config.frame_stack,
        "hidden": config.hidden,
        "n_heads": config.n_heads,
        "conv_channels": config.conv_channels,
        "conv_kernel": config.conv_kernel,
        "classifier": config.classifier,
        "n_labels": config.n_labels,
        "n_languages": len(languages),
    }
    n_batch, language_dtype = _FORMS.get(backend or "", (None, "int64"))
    return {
        "schema_version": SCHEMA_VERSION,
        "name": facts.name,
        "architecture": architecture,
        "inputs": [
            _tensor(
                "features", [n_batch, None, config.n_features], "float32", "batch,time,feature"
            ),
            _tensor("language", [n_batch], language_dtype, "batch"),
        ],
        "outputs": [_tensor("logits", [n_batch, config.n_labels], "float32", "batch,label")],
        "labels": list(facts.labels),
        "languages": languages,
        "default_language": UNKNOWN_LANGUAGE,
        "feature_spec": facts.spec.to_dict(),
        "feature_fingerprint": facts.spec.fingerprint,
        "window_frames": facts.window_frames,
        "window_hop": facts.window_hop,
        "normalisation": {"mean": _floats(facts.mean), "std": _floats(facts.std)},
        "temperature": float(facts.temperature),
        "training": dict(facts.training),
        "accuracy": [dict(entry) for entry in facts.accuracy],
        "licence": facts.licence,
        **({"abstention": facts.abstention.to_dict()} if facts.abstention else {}),
        **({"gate": facts.gate.to_dict()} if facts.gate else {}),
        **(_voice_reference(facts.voice_reference) if facts.voice_reference else {}),
    }


def _voice_reference(reference: VoiceReference) -> dict[str, Any]:
    fields = dataclasses.asdict(reference)
    return {"voice_reference": {**fields, "centre": _floats(fields["centre"])}}


def torch_logits(model: CLAFSER, features: Floats, language: int) -> Floats:
    """Run the torch model in evaluation mode: (B, T, n_features) -> (B, n_labels)."""
    import torch

    # On the model's own device, which may be a GPU.
    device = model.fc2.weight.device
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            rows = torch.full((features.shape[0],), language, device=device)
            logits: Floats = model(torch.from_numpy(features).to(device), rows).logits.cpu().numpy()
    finally:
        model.train(was_training)
    return logits


def reference_rows(model: CLAFSER) -> Floats:
    """Draw the reference input: synthetic normalised rows, rounded to 4 decimals.

    Of 32 seeded draws the one with the flattest posterior, because a posterior
    near 0 and 1 would hide differences.

    Returns
    -------
    float32 [shape=(16, n_features)]
    """
    shape = (_N_REFERENCE_DRAWS, _N_REFERENCE_ROWS, model.config.n_features)
    draws = np.random.default_rng(0).standard_normal(shape).round(4).astype(np.float32)
    logits = torch_logits(model, draws, model.config.unknown_language).astype(np.float64)
    margin = logits.max(axis=1) - np.median(logits, axis=1)
    chosen: Floats = draws[int(margin.argmin())]
    return chosen


def _tensor(name: str, shape: list[int | None], dtype: str, layout: str) -> dict[str, Any]:
    return {"name": name, "shape": shape, "dtype": dtype, "layout": layout}


def _floats(values: Sequence[float] | Floats) -> list[float]:
    """Return the shortest decimals that give back the same float32."""
    return [float(str(np.float32(value))) for value in values]
