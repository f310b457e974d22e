"""Runs that a search exports from, and the clips that all of them are measured on."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.features.spec import FeatureSpec
from quantize.basics.errors import CheckpointError, TrainingError
from quantize.data.corpora import Clip
from quantize.data.features.cache import FeatureCache
from quantize.data.features.segments import SegmentSet, corpus_segments
from quantize.data.splits import Split, common_labels, read_split
from quantize.measure.evaluate import held_out
from quantize.models.claf_ser import CLAFSER
from quantize.runs.checkpoint import load_checkpoint
from quantize.runs.earlier import file_digest, run_name
from quantize.runs.temperature import read_calibration

__all__ = ["Ground", "Source", "chosen_on_test_side", "read_sources", "run_digest"]


@dataclasses.dataclass(frozen=True)
class Source:
    """A trained run.

    Parameters
    ----------
    name : str
        Its folder and that one's parent, as teachers are called.
    folder : path
        As it was given.
    digest : str
        SHA-256 of its checkpoint.
    temperature : float
        Of its posterior, which its artifacts carry.
    hidden : int
        BiLSTM units a direction.
    split : Split
    labels : tuple of str
        That its model tells apart.
    """

    name: str
    folder: Path
    digest: str
    temperature: float
    hidden: int
    split: Split
    labels: tuple[str, ...]

    @property
    def slug(self) -> str:
        """Its name as a file may be called."""
        return re.sub(r"[^A-Za-z0-9._-]+", "_", self.name)


@dataclasses.dataclass
class Ground:
    """What all trials of a search are measured on.

    Parameters
    ----------
    split : Split
        Of all runs.
    clips : sequence of Clip
        Of the corpora.
    cache_folder : path
        Of feature rows.
    n_workers : int
        Processes that compute features.
    known : tuple of str
        Labels that all runs tell apart.
    """

    split: Split
    clips: Sequence[Clip]
    held_out: Sequence[Clip]
    cache_folder: Path
    n_workers: int = 1
    known: tuple[str, ...] = ()
    _caches: dict[str, FeatureCache] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls, source: Source, clips: Sequence[Clip], cache_folder: Path, n_workers: int
    ) -> Ground:
        """Take the clips that a run's split held out.

        Raises
        ------
        SplitError
            If the split leaks or names clips that are missing.
        """
        split, chosen = held_out(source.folder, clips)
        return cls(split, clips, chosen, cache_folder, n_workers, source.labels)

    @property
    def labels(self) -> list[str]:
        """Classes that may be answered."""
        return list(common_labels(self.split, self.clips, self.known))

    def cache(self, spec: FeatureSpec) -> FeatureCache:
        """Rows of a spec, read from disk once a search."""
        if spec.fingerprint not in self._caches:
            self._caches[spec.fingerprint] = _Kept(self.cache_folder, spec)
        return self._caches[spec.fingerprint]

    def calibration(
        self, spec: FeatureSpec, n_segments: int, window_frames: int, window_hop: int
    ) -> SegmentSet:
        """Segments of the training side, for kinds that calibrate."""
        train = set(self.split.train)
        return corpus_segments(
            [clip for clip in self.clips if clip.clip_id in train],
            self.cache(spec),
            self.clips,
            n_segments,
            window_frames=window_frames,
            window_hop=window_hop,
            n_workers=self.n_workers,
        )


class _Kept(FeatureCache):
    """A cache whose clean rows stay in memory: every trial asks for the same ones."""

    _rows: dict[str, Any] | None = None

    def load(self, clips: Sequence[Clip], variant: int = 0, n_workers: int = 1) -> dict[str, Any]:
        if variant:
            return super().load(clips, variant, n_workers)
        if self._rows is None:
            self._rows = super().load(clips, 0, n_workers)
        return self._rows


def read_sources(runs: Sequence[Path]) -> list[Source]:
    """Look at the runs of a search, each once, and refuse those that cannot be compared.

    Raises
    ------
    EdgeSerError
        If a run has no usable checkpoint, is no CLAF-SER, held nothing out, was trained on another
        split than the first, or is called like another.
    """
    sources: dict[Path, Source] = {}
    for run in runs:
        if run.resolve() not in sources:
            sources[run.resolve()] = _source(run)
    found = list(sources.values())
    first = found[0]
    for number, source in enumerate(found):
        if source.split.fingerprint != first.split.fingerprint:
            raise TrainingError(
                f"{source.folder} was trained on the split {source.split.id}, {first.folder} on "
                f"{first.split.id}: figures of other clips cannot be compared, name runs of one "
                "split"
            )
        if source.labels != first.labels:
            raise TrainingError(
                f"{source.folder} tells apart {', '.join(source.labels)}, {first.folder} "
                f"{', '.join(first.labels)}: name runs of the same labels"
            )
        for other in found[:number]:
            if other.slug == source.slug:
                raise TrainingError(
                    f"{other.folder} and {source.folder} are both called {source.name}: rename "
                    "one of the folders, or their trials cannot be told apart"
                )
    return found


def _source(run: Path) -> Source:
    saved = load_checkpoint(run / "checkpoint.safetensors")
    if not isinstance(saved.model, CLAFSER):
        raise CheckpointError(
            f"{run} holds the baseline, which is there to compare with and runs on no device: "
            "name runs of train, prune or distill"
        )
    if not (run / "split.json").is_file():
        raise TrainingError(
            f"{run} held nothing out (--split all), so its artifacts cannot be compared: search "
            "among runs of train --validation"
        )
    return Source(
        run_name(run),
        run,
        run_digest(run),
        read_calibration(run).temperature,
        saved.model.config.hidden,
        read_split(run / "split.json"),
        saved.labels,
    )


def run_digest(run: Path) -> str:
    """SHA-256 of its checkpoint."""
    return file_digest(run / "checkpoint.safetensors")


def chosen_on_test_side(split: Split) -> str | None:
    """What to say of a choice that was made on a test side; None where it was not.

    The part that ``train --validation`` holds out carries the word in its split's name, which
    the split's fingerprint covers.
    """
    if split.name.endswith("/validation"):
        return None
    return (
        f"these runs hold out the test side of {split.id}, so what is chosen here is chosen on it "
        "and its figures are no longer honest for the chosen one: choose among runs of train "
        "--validation"
    )
