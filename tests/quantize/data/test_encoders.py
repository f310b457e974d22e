"""Vectors of clips by whatever encoder: in the form that trains, resumable, refused where wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import toy_encoder

from edge.audio.file import write_wav
from edge.errors import ParameterError
from quantize.commands.main import main
from quantize.data.corpora import find_corpora
from quantize.data.embeddings import read_embeddings
from quantize.data.encoders import embedding, registry

RATE = 16_000


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(n_samples).astype(np.float32)


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A folder of weights of an encoder that the registry knows by one row."""
    monkeypatch.setitem(registry.ENCODERS, "toy", "toy_encoder")
    toy_encoder.opened.clear()
    toy_encoder.stops_after.clear()
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "gain").write_text("1")
    return folder


@pytest.fixture
def recordings(tmp_path):
    """Five clips, two of them parts of one file."""
    root = tmp_path / "own"
    root.mkdir()
    for seed, name in enumerate("abcd"):
        write_wav(root / f"{name}.wav", noise(RATE, seed), RATE)
    lines = ["path,label,start_s,end_s", *(f"{n}.wav,calm,," for n in "abc")]
    (root / "talk.csv").write_text("\n".join([*lines, "d.wav,sad,0,0.4", "d.wav,sad,0.4,1"]) + "\n")
    return root


def words(toy: Path, recordings: Path, *more: str) -> list[str]:
    base = toy.parent
    return ["embed", "--encoder", "toy", "--weights", str(toy), "--workers", "1",
            "--data", str(recordings / "talk.csv"), "--out", str(base / "v.npz"),
            "--cache", str(base / "cache"), *more]  # fmt: skip


def heard() -> list[int]:
    return toy_encoder.opened[-1].heard


def test_the_file_is_what_a_training_reads(toy, recordings, capsys):
    assert main(words(toy, recordings, "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "path": str(toy.parent / "v.npz"), "encoder": "toy", "layer": 2, "n_layers": 4,
        "width": 3, "n_clips": 5, "n_kept": 0, "n_left_out": 0,
    }  # fmt: skip
    clips = find_corpora([recordings / "talk.csv"]).clips
    found = read_embeddings([said["path"]])
    assert len(found) == 5
    rows = found.of(clips)
    assert len(np.unique(rows, axis=0)) == 5
    samples = [np.asarray(c.start_s is None) for c in clips]
    assert sorted(heard()) == sorted(
        [RATE] * int(sum(samples)) + [int(0.4 * RATE), int(0.6 * RATE)]
    )


def test_the_same_command_again_hears_only_what_is_new(toy, recordings, capsys):
    assert main(words(toy, recordings)) == 0
    first = (toy.parent / "v.npz").read_bytes()
    assert main(words(toy, recordings)) == 0
    assert heard() == []
    assert (toy.parent / "v.npz").read_bytes() == first
    assert "5 clips (5 of them from before), 3 numbers each: toy, layer 2 of 4" in (
        capsys.readouterr().out
    )
    # Other sound under the old name, another layer, and other weights are something else.
    write_wav(recordings / "a.wav", noise(RATE, 9), RATE)
    assert main(words(toy, recordings)) == 0
    assert len(heard()) == 1
    assert main(words(toy, recordings, "--layer", "3")) == 0
    assert len(heard()) == 5
    (toy / "gain").write_text("2")
    assert main(words(toy, recordings, "--layer", "3")) == 0
    assert len(heard()) == 5


def test_an_interrupted_one_goes_on_and_writes_the_same_bytes(toy, recordings, capsys):
    assert main(words(toy, recordings)) == 0
    out = toy.parent / "v.npz"
    whole = out.read_bytes()
    out.unlink()
    toy_encoder.stops_after.append(2)
    assert main(words(toy, recordings)) == 130
    assert "the same command goes on where it left off" in capsys.readouterr().err
    assert not out.exists()
    toy_encoder.stops_after.clear()
    assert main(words(toy, recordings)) == 0
    assert len(heard()) == 3
    assert out.read_bytes() == whole
    assert [path.name for path in toy.parent.glob("v.npz*")] == ["v.npz"]


def test_what_was_computed_is_kept_before_anything_happens(toy, recordings, monkeypatch):
    monkeypatch.setattr(embedding, "_KEEP_S", 0.0)
    part = toy.parent / "v.npz.part"
    kept = []

    def killed():
        kept.append(part.read_bytes())
        raise KeyboardInterrupt

    toy_encoder.stops_after.append(3)
    monkeypatch.setattr(toy_encoder, "stop", killed)
    assert main(words(toy, recordings)) == 130
    part.write_bytes(kept[0])
    toy_encoder.stops_after.clear()
    assert main(words(toy, recordings)) == 0
    assert len(heard()) == 2


def test_a_damaged_part_and_a_file_of_others_are_passed_over(toy, recordings):
    out = toy.parent / "v.npz"
    out.with_name("v.npz.part").write_bytes(b"PK")
    np.savez(out, clips=np.array(["x"]), embeddings=np.ones((1, 3), np.float16))
    assert main(words(toy, recordings)) == 0
    assert len(heard()) == 5
    assert len(read_embeddings([out])) == 5


def test_what_cannot_be_heard_is_left_out_and_named(toy, recordings, capsys):
    (recordings / "b.wav").write_bytes(b"RIFF")
    write_wav(recordings / "c.wav", noise(100), RATE)
    assert main(words(toy, recordings)) == 0
    said = capsys.readouterr()
    assert "b.wav" in said.err
    assert "is shorter than 25 ms" in said.err
    assert said.out.startswith(f"{toy.parent / 'v.npz'}  3 clips")


def test_words_that_have_no_label_are_heard_too(toy, synthetic_root, tmp_path):
    """A vector needs none, and a training may map the word to one."""
    folder = tmp_path / "EMO-DB" / "wav"
    folder.mkdir(parents=True)
    spoken = next((synthetic_root / "EMO-DB").rglob("*.wav"))
    for name in ("03a01Fa", "03a01La"):  # happiness; boredom, which has no class
        shutil.copy(spoken, folder / f"{name}.wav")
    for more in ([], ["--corpora", "emo-db"]):
        command = words(toy, tmp_path, *more)
        command[command.index("--data") + 1] = str(folder.parent)
        assert main(command) == 0
        found = read_embeddings([tmp_path / "v.npz"])
        mapped = find_corpora([folder.parent], None, {"boredom": "neutral"}).clips
        assert len(mapped) == 2
        assert all(found.find(clip) is not None for clip in mapped)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--layer", "9"], "layer 9 is asked for"),
        (["--layer", "0"], "--layer"),
        (["--weights", "nowhere"], "nowhere holds no gain"),
        (["--out", "v.csv"], "a name that ends in .npz is wanted"),
        (["--encoder", "ears"], "invalid choice: 'ears'"),
        (["--data", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(more, told, toy, recordings, capsys):
    assert main(words(toy, recordings, *more)) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert len(said.err.splitlines()) == 1
    assert not said.out


def test_numbers_that_a_file_cannot_hold_are_refused(toy, recordings, capsys):
    (toy / "gain").write_text("1e9")
    assert main(words(toy, recordings)) == 2
    assert "not finite or beyond 65,504" in capsys.readouterr().err


def test_a_name_that_no_row_has_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="no encoder is called 'ears': one of whisper"):
        registry.open_encoder(registry.EncoderChoice("ears", tmp_path))
