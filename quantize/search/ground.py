"""The runs that a search exports from, and the clips that all of them are measured on."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.features.spec import FeatureSpec
from quantize.basics.errors import CheckpointError, TrainingError
from quantize.data.corpora import Clip
from quantize.data.corpora.contents import ContentIndex
from quantize.data.features.cache import FeatureCache
from quantize.data.features.segments import SegmentSet, corpus_segments
from quantize.data.splits import Split, common_labels
from quantize.models.claf_ser import CLAFSER
from quantize.runs.clips import check_one_label_map
from quantize.runs.run import Run, open_run

__all__ = ["Ground", "chosen_on_test_side", "open_runs"]


@dataclasses.dataclass
class Ground:
    """What all trials of a search are measured on.

    Parameters
    ----------
    split : Split
        Of all runs.
    label_map : mapping
        Of all runs.
    clips : sequence of Clip
        Of the corpora.
    cache_folder : path
        Of feature rows.
    n_workers : int
        Processes that compute features.
    known : tuple of str
        Labels that all runs tell apart.
    cluster : str, optional
        Address of a cluster that computes features instead.
    """

    split: Split
    label_map: Mapping[str, str | None]
    clips: Sequence[Clip]
    held_out: Sequence[Clip]
    cache_folder: Path
    n_workers: int = 1
    known: tuple[str, ...] = ()
    cluster: str | None = None
    _caches: dict[str, FeatureCache] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls,
        run: Run,
        clips: Sequence[Clip],
        cache_folder: Path,
        n_workers: int,
        cluster: str | None = None,
    ) -> Ground:
        """Take the clips that a run held out.

        Raises
        ------
        SplitError
            If the split leaks or names clips that are missing.
        """
        return cls(
            run.held_out_split(),
            run.label_map,
            clips,
            run.held_out(clips),
            cache_folder,
            n_workers,
            run.labels,
            cluster,
        )

    @functools.cached_property
    def clips_sha256(self) -> str:
        """SHA-256 of the held-out clips: ids, labels, and what their files hold.

        Raises
        ------
        AudioFileError
            If a file cannot be read.
        """
        held = ContentIndex(self.cache_folder).digests([clip.path for clip in self.held_out])
        facts = [
            [clip.clip_id, clip.label, digest, clip.start_s, clip.end_s]
            for clip, digest in zip(self.held_out, held, strict=True)
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    @property
    def labels(self) -> list[str]:
        """Classes that may be answered."""
        return list(common_labels(self.split, self.clips, self.known))

    def cache(self, spec: FeatureSpec) -> FeatureCache:
        """Rows of a spec, read from disk once a search."""
        if spec.fingerprint not in self._caches:
            kept = _Kept(self.cache_folder, spec, cluster=self.cluster)
            self._caches[spec.fingerprint] = kept
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


def open_runs(folders: Sequence[Path]) -> list[Run]:
    """Open the runs of a search, each once, and refuse those that cannot be compared.

    Raises
    ------
    EdgeSerError
        If a run has no usable checkpoint, is no CLAF-SER, held nothing out, was trained on another
        split or with another label map than the first, or is called like another.
    """
    runs: dict[Path, Run] = {}
    for folder in folders:
        if folder.resolve() not in runs:
            runs[folder.resolve()] = _open(folder)
    found = list(runs.values())
    first = found[0].held_out_split()
    for number, run in enumerate(found):
        split = run.held_out_split()
        if split.fingerprint != first.fingerprint:
            raise TrainingError(
                f"{run.folder} was trained on the split {split.id}, {found[0].folder} on "
                f"{first.id}: figures of other clips cannot be compared, name runs of one split"
            )
        if run.labels != found[0].labels:
            raise TrainingError(
                f"{run.folder} tells apart {', '.join(run.labels)}, {found[0].folder} "
                f"{', '.join(found[0].labels)}: name runs of the same labels"
            )
        for other in found[:number]:
            if other.slug == run.slug:
                raise TrainingError(
                    f"{other.folder} and {run.folder} are both called {run.name}: rename one of "
                    "the folders, or their trials cannot be told apart"
                )
    check_one_label_map(found)
    return found


def _open(folder: Path) -> Run:
    run = open_run(folder)
    if not isinstance(run.checkpoint.model, CLAFSER):
        raise CheckpointError(
            f"{folder} holds the baseline, which is there to compare with and runs on no device: "
            "name runs of train, prune or distill"
        )
    if run.split is None:
        raise TrainingError(
            f"{folder} held nothing out (--split all), so its artifacts cannot be compared: search "
            "among runs of train --validation"
        )
    return run


def chosen_on_test_side(split: Split) -> str | None:
    """What to say of a choice that was made on a test side; None where it was not.

    The part that ``train --validation`` holds out carries the word in its split's name, which
    the split's fingerprint covers.
    """
    if split.is_validation:
        return None
    return (
        f"these runs hold out the test side of {split.id}, so what is chosen here is chosen on it "
        "and its figures are no longer honest for the chosen one: choose among runs of train "
        "--validation"
    )
