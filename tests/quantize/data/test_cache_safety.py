"""Rows are of what the files hold: never stale, never of a damaged file, whoever else writes."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from local_cluster import local_cluster

from edge.audio.file import write_wav
from edge.errors import AudioFileError, ParameterError
from quantize.data.corpora import load_corpora
from quantize.data.features import cache as module
from quantize.data.features import compute
from quantize.data.features.cache import FeatureCache

FILL = """
import sys
from pathlib import Path
from quantize.data.corpora import load_corpora
from quantize.data.features import cache
cache._CLIPS_A_TASK = cache._CLIPS_A_PART = 1
clips = load_corpora(Path(sys.argv[1]))[0][::12]
print("begins", flush=True)
cache.FeatureCache(sys.argv[2]).load(clips, 1)
"""


@pytest.fixture
def clips(synthetic_root, tmp_path):
    """A corpus that may be written to."""
    return load_corpora(shutil.copytree(synthetic_root, tmp_path / "data"))[0][::12]


@pytest.fixture(scope="module")
def truth(synthetic_root, tmp_path_factory):
    """What the rows must be, clean and augmented."""
    chosen = load_corpora(synthetic_root)[0][::12]
    cache = FeatureCache(tmp_path_factory.mktemp("cache"))
    return {variant: cache.load(chosen, variant) for variant in (0, 1)}


@pytest.fixture
def computed(monkeypatch):
    """Ids of the clips that were computed, in their order."""
    ids: list[str] = []
    compute = module.compute_rows

    def noted(making, clips):
        ids.extend(heard.clip.clip_id for heard in clips)
        return compute(making, clips)

    monkeypatch.setattr(module, "compute_rows", noted)
    return ids


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def record_anew(clip, hz=300.0):
    tone = 0.1 * np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000)
    write_wav(clip.path, tone, 16_000)


@pytest.mark.parametrize("variant", [0, 1])
def test_other_audio_under_an_old_name_has_other_rows(clips, tmp_path, variant, computed):
    cache = FeatureCache(tmp_path / "cache")
    first = cache.load(clips, variant)
    assert computed == [c.clip_id for c in clips]
    computed.clear()
    changed = clips[3]
    record_anew(changed)
    for one in (cache, FeatureCache(tmp_path / "cache")):
        again = one.load(clips, variant)
        assert computed == [changed.clip_id]  # and no other, and once
        assert not np.array_equal(again[changed.clip_id], first[changed.clip_id])
        others = [c.clip_id for c in clips if c is not changed]
        assert all(np.array_equal(again[i], first[i]) for i in others)


def test_a_file_that_only_moved_is_not_computed_again(clips, tmp_path, computed):
    cache = FeatureCache(tmp_path / "cache")
    first = cache.load(clips, 1)
    computed.clear()
    moved = dataclasses.replace(clips[0], path=tmp_path / "elsewhere.wav")
    shutil.move(clips[0].path, moved.path)
    assert same(cache.load([moved, *clips[1:]], 1), first)
    assert not computed


def test_any_choice_of_clips_shares_the_rows(clips, tmp_path, computed):
    cache = FeatureCache(tmp_path / "cache")
    few = cache.load(clips[:4])
    computed.clear()
    every = cache.load(clips[::-1])
    assert computed == [c.clip_id for c in clips[:3:-1]]
    assert all(np.array_equal(every[k], few[k]) for k in few)


@pytest.mark.parametrize("variant", [0, 1])
def test_damaged_files_are_computed_anew_with_one_line(clips, truth, tmp_path, variant, capsys):
    rng = np.random.default_rng(variant)
    folder = tmp_path / "cache"
    FeatureCache(folder).load(clips, variant)
    for trial in range(12):
        files = sorted(p for p in folder.rglob("*") if p.suffix in (".rows", ".json"))
        for path in files:
            content = bytearray(path.read_bytes())
            at = int(rng.integers(len(content)))
            if trial % 2:
                content[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(content if trial % 2 else content[:at])
        capsys.readouterr()
        assert same(FeatureCache(folder).load(clips, variant), truth[variant])
        said = [x for x in capsys.readouterr().err.splitlines() if "edge-ser-quantize:" in x]
        assert 1 <= len(said) <= 2, said  # of rows, and of the digests
        assert any("damaged and computed anew" in line for line in said)
        FeatureCache(folder).load(clips, variant)
        assert "damaged" not in capsys.readouterr().err


def test_killed_while_filling_and_two_at_once(synthetic_root, clips, truth, tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "cache"
    command = [sys.executable, "-c", FILL, str(synthetic_root), str(folder)]
    for _ in range(2):
        both = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for one in both:
            assert one.stdout.readline() == "begins\n"
        time.sleep(rng.uniform(0.0, 0.3))
        both[0].send_signal(signal.SIGKILL)
        both[0].communicate()
        said = both[1].communicate(timeout=60)[1]
        assert both[1].returncode == 0, said
        assert "Traceback" not in said
        assert same(FeatureCache(folder).load(clips, 1), truth[1])
        assert not list(folder.rglob("*.tmp"))
        shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_one_sentence(clips, truth, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match=r"cannot be written .* name another one with --cache"):
        FeatureCache(tmp_path / "file").load(clips)


def test_folders_of_an_earlier_version_are_told_of_once(clips, tmp_path, capsys):
    old = tmp_path / "cache" / "0123456789abcdef"
    old.mkdir(parents=True)
    (old / "variant-000-0123456789ab.npz").write_bytes(b"old")
    for n_told in (1, 0):
        FeatureCache(tmp_path / "cache").load(clips[:2])
        assert capsys.readouterr().err.count(f"used no more: delete {old}") == n_told


def test_processes_give_the_same_rows(clips, truth, tmp_path):
    cache = FeatureCache(tmp_path / "cache")
    assert same(cache.load(clips, 1, n_workers=2), truth[1])


def test_a_cluster_gives_the_same_rows_with_a_worker_killed_half_way(
    clips, truth, tmp_path, monkeypatch
):
    pytest.importorskip("distributed")
    monkeypatch.setattr(module, "_CLIPS_A_TASK", 1)
    with local_cluster(tmp_path) as running:
        killed = []

        def killing(rows, total, title):
            for number, one in enumerate(rows):
                if number == 2 and not killed:
                    killed.append(running.workers[0].pid)
                    running.workers[0].kill()
                yield one

        monkeypatch.setattr(module, "progress_bar", killing)
        cache = FeatureCache(tmp_path / "cache", cluster=running.address)
        assert same(cache.load(clips, 1), truth[1])
        assert killed
        assert same(cache.load(clips, 0), truth[0])
        voices = cache.load_condition(clips, "babble-0dB")
    alone = FeatureCache(tmp_path / "alone").load_condition(clips, "babble-0dB")
    assert same(voices, alone)


def test_a_file_that_changes_meanwhile_is_one_sentence_and_gives_no_rows(
    clips, truth, tmp_path, monkeypatch
):
    extract = compute.FeatureExtractor.extract

    def changing(self, samples):
        record_anew(clips[0])
        return extract(self, samples)

    with monkeypatch.context() as patched:
        patched.setattr(compute.FeatureExtractor, "extract", changing)
        with pytest.raises(AudioFileError, match="was changed while its features were computed"):
            FeatureCache(tmp_path / "cache").load(clips[:3])
    again = FeatureCache(tmp_path / "cache").load(clips[:3])
    fresh = FeatureCache(tmp_path / "other").load(clips[:3])
    assert same(again, fresh)
    assert not np.array_equal(again[clips[0].clip_id], truth[0][clips[0].clip_id])
