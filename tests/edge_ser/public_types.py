"""Read by mypy, not run: what a type checker sees of the public names.

An unused ``type: ignore`` is an error, so each of them says that mypy does find the mistake.
"""

from __future__ import annotations

from collections.abc import Mapping

import edge
import edge_ser


def typos_are_found(classifier: edge_ser.Classifier) -> None:
    edge.laod()  # type: ignore[attr-defined]
    edge_ser.laod()  # type: ignore[attr-defined]
    _ = edge.FeatureSpec().mfcc.n_mells  # type: ignore[attr-defined]
    classifier.stream(windows=2.0)  # type: ignore[call-arg]


def types_are_known(classifier: edge_ser.Classifier, decision: edge.Decision) -> None:
    stream: edge.Stream = classifier.stream(smooth=edge_ser.SmootherSettings(lead=0.2))
    label: str | None = decision.label
    posterior: Mapping[str, float] | None = decision.posterior
    answer: edge_ser.FileAnswer = edge.classify_file("talk.wav")
    error: type[Exception] = edge_ser.errors.AudioFileError
    print(stream, label, posterior, answer, error)
