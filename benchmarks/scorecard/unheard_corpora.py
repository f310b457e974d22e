"""What a bundled model is worth on corpora and languages that no training heard.

    python -m benchmarks.scorecard.unheard_corpora --data CORPORA [--models claf-ser claf-ser-tiny]
        [--output FILE.json]

Needs soundfile.  CORPORA holds EMOVO (Italian) and nEMO (Polish); what a model learnt from is left
out.  Every 2 s window that a stream would judge is judged for itself, at the artifact's
bar and with its activation; intervals are over speakers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import edge
from edge.errors import EdgeSerError, ParameterError
from quantize.basics.files import write_json
from quantize.basics.tables import aligned
from quantize.data.corpora import load_corpora
from quantize.measure.abstention import Judged
from quantize.measure.activation import Activations
from quantize.measure.answers import Answers
from quantize.runs.provenance import commit

#: Folder to the corpus in it.
CORPORA = {"EMOVO": "emovo", "nEMO": "nemo"}

#: Samples of 2 s from one window to the next, as in a stream.
HOP_S = 0.512


def clips(data: Path, corpus: str) -> Iterator[tuple[str, str, Path]]:
    """Label, speaker and path of every clip, as its name tells."""
    found, _ = load_corpora(data / corpus, [CORPORA[corpus]])
    for clip in sorted(found, key=lambda clip: clip.path):
        yield clip.label, clip.speaker.partition("/")[2], clip.path


def judged(classifier: edge.Classifier, data: Path, corpus: str) -> tuple[Answers, int, int]:
    """Windows that the device shows to its model, and how many it does not, of how many clips."""
    labels = classifier.labels
    posteriors, truth, owners = [], [], []
    n_unheard = n_clips = 0
    for label, speaker, path in clips(data, corpus):
        n_clips += 1
        samples, rate = soundfile.read(path, dtype="float32")
        for decision in classifier.classify(samples, rate, hop_s=HOP_S):
            if decision.posterior is None:
                n_unheard += 1
                continue
            posteriors.append([decision.posterior[name] for name in labels])
            truth.append(labels.index(label))
            owners.append(speaker)
    if not owners:
        raise ParameterError(f"{data / corpus} has no clips, the corpora of shared/ are wanted")
    rows = np.array(posteriors)
    none = np.zeros(len(truth), dtype=np.int64)
    answers = Answers(rows, np.array(truth), none, np.array(owners), (corpus,), labels)
    return answers, n_unheard, n_clips


def figures(classifier: edge.Classifier, data: Path, corpus: str) -> dict[str, Any]:
    """Coverage, accuracy and activation on one corpus."""
    windows, n_unheard, n_clips = judged(classifier, data, corpus)
    measured = classifier.artifact.manifest.abstention
    bar = measured.min_probability if measured else 0.0
    answers = Judged.of(windows, 1.0)
    scale = measured.activation if measured else None
    return {
        "n_clips": n_clips,
        "n_not_judged": n_unheard,
        "min_probability": bar,
        "without_bar": answers.figures()["pooled"],
        "answered": answers.at(bar).figures()["pooled"],
        "activation": Activations.of(windows, 1.0, scale).figures()["mean"],
    }


def heard_by(classifier: edge.Classifier) -> list[str]:
    """Corpora of these that a model learnt from, as its manifest tells."""
    trained_on = classifier.artifact.manifest.training.get("corpora")
    known = trained_on if isinstance(trained_on, list) else []
    return [corpus for corpus, name in CORPORA.items() if name in known]


def spread(part: dict[str, Any], key: str) -> str:
    """Percent and interval."""
    if part[key] is None:
        return "-"
    low, high = part[f"{key}_ci95"]
    return f"{100 * part[key]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def main() -> int:
    """Measure, print a table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="CORPORA")
    parser.add_argument("--models", nargs="+", default=["claf-ser", "claf-ser-tiny"])
    parser.add_argument("--output", type=Path, metavar="FILE.json")
    arguments = parser.parse_args()
    rows = [["model", "corpus", "windows", "right of all", "answered", "right of these", "UAR"]]
    report: dict[str, Any] = {"commit": commit(), "models": {}}
    for name in arguments.models:
        classifier = edge.load(name)
        heard = heard_by(classifier)
        for corpus in heard:
            print(f"{name} learnt from {corpus}: it is left out", file=sys.stderr)
        unheard = [corpus for corpus in CORPORA if corpus not in heard]
        found = {corpus: figures(classifier, arguments.data, corpus) for corpus in unheard}
        report["models"][name] = found
        for corpus, part in found.items():
            rows.append(
                [
                    name,
                    corpus,
                    str(part["without_bar"]["n"]),
                    spread(part["without_bar"], "accuracy"),
                    spread(part["answered"], "coverage"),
                    spread(part["answered"], "accuracy"),
                    spread(part["activation"], "uar"),
                ]
            )
    if len(rows) == 1:
        raise ParameterError(
            f"{', '.join(arguments.models)} learnt from {' and '.join(CORPORA)}: name a model with "
            "--models that did not, such as a run's that had no --lessons"
        )
    print("\n".join(aligned(rows, n_left=2)))
    if arguments.output:
        write_json(arguments.output, report)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EdgeSerError as error:
        sys.exit(f"error: {error}")
