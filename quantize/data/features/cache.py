"""Feature rows of clips, kept by what they were made of.

Training reads rows, never audio.  The rows of a clip are found by a key: SHA-256 of its file's
bytes, of the FeatureSpec and of whatever else was done: augmentation, its seed, the clip's name
where that seeds chance, the condition and its voices.  Other audio under an old name has other
keys, and a clip that was changed is one clip to compute.

Below the cache folder lie

    contents.json            the SHA-256 of audio files, see :mod:`quantize.data.corpora.contents`
    rows/NAME/about.json     how the rows of this folder are made; its time is that of the last use
    rows/NAME/….rows         the rows, see :mod:`quantize.data.features.parts`
    rows/NAME/.lock          held while rows are added: a second process waits, then finds them

Anything of it may be deleted at any time: what is missing is computed again.  Rows whose clips
or settings have changed stay until then.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError, how_many
from edge.features.spec import FeatureSpec
from edge.jobs import run_in_order
from quantize.basics.files import write_json
from quantize.basics.locks import locked
from quantize.basics.progress import progress_bar, progress_note
from quantize.data.corpora import Clip
from quantize.data.corpora.contents import ContentIndex
from quantize.data.features import parts
from quantize.data.features.compute import (
    EXTRACTOR_VERSION,
    Heard,
    Making,
    compute_rows,
    voice_bank,
)
from quantize.data.features.conditions import CODECS
from quantize.data.features.degraded import condition_recipe
from quantize.data.features.keys import digest, folder_name, key_of
from quantize.data.sound.augment import AugmentSettings, augmentation_recipe
from quantize.data.sound.codecs import codecs_here
from quantize.data.sound.recordings import Recording

__all__ = ["FeatureCache"]

Rows = NDArray[np.floating]

#: Clips handed to a worker together, and written together: what a kill can cost.
_CLIPS_A_TASK = 8
_CLIPS_A_PART = 256


class FeatureCache:
    """Feature rows of clips as they are, augmented, and under the conditions of noise and rooms.

    Parameters
    ----------
    folder : path
        Where rows live; any number of settings and processes may share it.
    spec : FeatureSpec, optional
    settings : AugmentSettings, optional
    seed : int
        Seed of the augmentation.
    cluster : str, optional
        Address of a cluster that computes features, see :func:`edge.jobs.run_in_order`.
    sounds : sequence of Recording
        Everyday sounds that clips are heard with, see
        :func:`quantize.data.sound.recordings.sounds_of`.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        spec: FeatureSpec | None = None,
        settings: AugmentSettings | None = None,
        seed: int = 0,
        *,
        cluster: str | None = None,
        sounds: Sequence[Recording] = (),
    ) -> None:
        self.folder = Path(folder)
        self.spec = spec or FeatureSpec()
        self.settings = settings or AugmentSettings()
        self.seed = seed
        self.cluster = cluster
        self.contents = ContentIndex(folder)
        self._recordings = tuple(sounds)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of features, augmentation and seed, by which a training knows its rows."""
        return digest({"features": self.spec.fingerprint, **self._augmentation()})

    @functools.cached_property
    def _sounds(self) -> tuple[tuple[Recording, str], ...]:
        """Recordings and the SHA-256 of their files."""
        digests = self.contents.digests([one.path for one in self._recordings])
        return tuple(zip(self._recordings, digests, strict=True))

    @property
    def sounds_digest(self) -> str:
        """SHA-256 of the kinds and the contents of all sounds."""
        return digest(sorted({(one.kind, sha256) for one, sha256 in self._sounds}))

    def _augmentation(self) -> dict[str, Any]:
        """What decides the rows of variants, beside clips and features."""
        recipe = {**augmentation_recipe(self.settings), "seed": self.seed}
        # Those that no variant is made with make no other rows.
        if self.settings.sounds_share and self._sounds:
            recipe["sounds"] = self.sounds_digest
        return recipe

    def load(
        self, clips: Sequence[Clip], variant: int = 0, n_workers: int = 1
    ) -> dict[str, NDArray[Any]]:
        """Rows of one variant of every clip, computing what is not there yet.

        Parameters
        ----------
        clips : sequence of Clip
        variant : int
            0 for the clips themselves, 1 and up for augmented ones.
        n_workers : int
            Processes that compute features.

        Returns
        -------
        dict of str to float32 or float16 [shape=(n_frames, n_features)]
            By clip id; variant 0 is float32. Clips of the same bytes may share theirs.

        Raises
        ------
        AudioFileError
            If a clip cannot be read or is shorter than one frame.
        ParameterError
            If rows are to be computed and the folder cannot be written.
        """
        if not variant:
            return self._load(clips, Making(self.spec), {}, n_workers)
        augmentation = {**self._augmentation(), "variant": variant}
        making = Making(
            self.spec,
            variant,
            self.settings,
            self.seed,
            sounds=self._sounds,
            codecs=codecs_here() if self.settings.codec_share else (),
        )
        return self._load(clips, making, {"augmentation": augmentation}, n_workers)

    def load_condition(
        self, clips: Sequence[Clip], condition: str, n_workers: int = 1
    ) -> dict[str, NDArray[np.float16]]:
        """Rows of every clip under a condition, computing what is not there yet.

        Parameters
        ----------
        clips : sequence of Clip
            The held-out clips; babble is mixed from their speakers.
        condition : str
            One of :data:`quantize.data.features.conditions.CONDITIONS` or ``EVERY_CONDITION``.
        n_workers : int
            Processes that compute features.

        Returns
        -------
        dict of str to float16 [shape=(n_frames, n_features)]
            By clip id.

        Raises
        ------
        AudioFileError
            If a clip cannot be read or is shorter than one frame.
        ParameterError
            If the condition is not known, babble has fewer than two speakers, there are no sounds
            for it or no such codec, or rows are to be computed and the folder cannot be written.
        """
        recipe = {"condition": condition_recipe(condition)}
        is_coded = condition in CODECS
        making = Making(self.spec, condition=condition, codecs=codecs_here() if is_coded else ())
        if condition.startswith("babble"):
            # In an order of their own, so that a list's order makes no other babble.
            heard = self._heard(sorted(clips, key=lambda clip: clip.clip_id))
            making = dataclasses.replace(making, voices=tuple(heard))
        if condition.startswith("sounds"):
            recipe["condition"]["sounds"] = self.sounds_digest
            making = dataclasses.replace(making, sounds=self._sounds)
        return self._load(clips, making, recipe, n_workers)

    def _heard(self, clips: Sequence[Clip]) -> list[Heard]:
        digests = self.contents.digests([clip.path for clip in clips])
        return [Heard(clip, sha256) for clip, sha256 in zip(clips, digests, strict=True)]

    def _load(
        self, clips: Sequence[Clip], making: Making, more: Mapping[str, Any], n_workers: int
    ) -> dict[str, NDArray[Any]]:
        recipe = {"extractor": EXTRACTOR_VERSION, "features": self.spec.fingerprint, **more}
        folder = self.folder / "rows" / folder_name(making, recipe)
        self._say_what_is_old()
        wanted: dict[str, Heard] = {}
        names: dict[str, str] = {}
        for heard in self._heard(clips):
            key = key_of(heard, making, recipe)
            names[heard.clip.clip_id] = key
            wanted.setdefault(key, heard)
        damage = parts.Damage()
        found = _stored(folder, wanted, damage)
        if len(found) < len(wanted):
            with self._filling(folder, recipe):
                # Again: whoever held the lock before has computed some or all of it.
                found |= _stored(folder, wanted.keys() - found.keys(), damage)
                _say_damage(folder, damage)
                missing = {k: h for k, h in wanted.items() if k not in found}
                found |= self._compute(folder, missing, making, n_workers)
        else:
            _say_damage(folder, damage)
            with contextlib.suppress(OSError):
                os.utime(folder / "about.json")
        return {clip_id: found[key] for clip_id, key in names.items()}

    @contextlib.contextmanager
    def _filling(self, folder: Path, recipe: Mapping[str, Any]) -> Iterator[None]:
        def waiting() -> None:
            if getattr(multiprocessing.current_process(), "_inheriting", False):
                # A worker that runs its parent's script anew would wait for the parent, and it
                # for the worker.
                raise ParameterError(
                    "features are computed by a script that is not guarded: put its own work "
                    'under `if __name__ == "__main__":`, or ask for one worker'
                )
            progress_note(
                "edge-ser-quantize: waiting for another process that computes the same features"
            )

        with contextlib.ExitStack() as stack:
            try:
                if stack.enter_context(locked(folder / ".lock", waiting)):
                    parts.remove_leftovers(folder)
                write_json(folder / "about.json", {**recipe, "spec": self.spec.to_dict()})
            except OSError as error:
                raise self._unwritable(error) from error
            yield

    def _write(self, folder: Path, rows: Mapping[str, Rows]) -> None:
        try:
            parts.write_part(folder, rows)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ParameterError:
        return ParameterError(
            f"the folder of cached features {self.folder} cannot be written "
            f"({error.strerror or error}): name another one with --cache"
        )

    def _compute(
        self, folder: Path, missing: Mapping[str, Heard], making: Making, n_workers: int
    ) -> dict[str, Rows]:
        """Rows by key, written part by part as they come."""
        if not missing:
            return {}
        if making.voices:
            used = {clip.clip_id for clip in voice_bank(making).clips}
            voices = tuple(heard for heard in making.voices if heard.clip.clip_id in used)
            making = dataclasses.replace(making, voices=voices)
        computed: dict[str, Rows] = {}
        unwritten: dict[str, Rows] = {}
        title = "features, " + (making.condition or f"variant {making.variant}")
        heard = list(missing.values())
        tasks = [heard[at : at + _CLIPS_A_TASK] for at in range(0, len(heard), _CLIPS_A_TASK)]
        # A process of its own is no help to one task.
        n_jobs = n_workers if len(tasks) > 1 else 1
        results = run_in_order(
            functools.partial(compute_rows, making), tasks, n_jobs=n_jobs, cluster=self.cluster
        )
        every = (rows for result in results for rows in result)
        try:
            for key, rows in zip(missing, progress_bar(every, len(missing), title), strict=True):
                unwritten[key] = computed[key] = rows
                if len(unwritten) == _CLIPS_A_PART:
                    full, unwritten = unwritten, {}
                    self._write(folder, full)
        finally:
            # What was computed before a clip that cannot be read, or before Ctrl-C, is kept.
            results.close()
            if unwritten:
                self._write(folder, unwritten)
        return computed

    def _say_what_is_old(self) -> None:
        """Tell once of rows of versions that knew clips by their names."""
        if (self.folder / "rows").exists():
            return
        names = ("*/variant-*.npz", "noise-*/*.npz")
        old = {path.parent for name in names for path in self.folder.glob(name)}
        if old:
            progress_note(
                f"edge-ser-quantize: {how_many(len(old), 'folder')} in {self.folder} "
                "hold feature rows of an earlier version, which are used no more: delete "
                + ", ".join(sorted(str(p) for p in old)[:3])
                + (" and the others like them" if len(old) > 3 else "")
            )


def _stored(folder: Path, keys: Any, damage: parts.Damage) -> dict[str, Rows]:
    """Rows by key, of those of ``keys`` that are there and whole."""
    entries = parts.scan(folder, damage)
    wanted = {key: entries[key] for key in keys if key in entries}
    return dict(parts.read_entries(wanted, damage))


def _say_damage(folder: Path, damage: parts.Damage) -> None:
    if damage.paths:
        progress_note(
            f"edge-ser-quantize: {how_many(len(damage.paths), 'file')} of cached features in "
            f"{folder} {'is' if len(damage.paths) == 1 else 'are'} damaged and computed anew"
        )
