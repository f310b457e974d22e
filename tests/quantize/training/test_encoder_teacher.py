"""A large model's vectors as a teacher: out of fold, on the training side alone, resumable."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from run_commands import train

from quantize.basics.errors import TrainingError
from quantize.commands.main import main
from quantize.data.corpora import LABELS, find_corpora, label_numbers
from quantize.data.embeddings import Embeddings, write_embeddings
from quantize.runs.run import open_run
from quantize.training.encoder_teacher import EncoderTeacher, corpus_weights, fit_linear
from quantize.training.settings import TrainSettings
from quantize.training.teachers import Teachers
from quantize.training.trainer import Trainer


@pytest.fixture(scope="module")
def clips(synthetic_root):
    return find_corpora([synthetic_root], ["ravdess", "savee"], {}).clips


def telling(clips, width=12, noise=0.3):
    """Vectors that give the emotion away."""
    rng = np.random.default_rng(0)
    places = 2.0 * rng.standard_normal((len(LABELS), width))
    numbers = label_numbers(clips, LABELS)
    return (places[numbers] + noise * rng.standard_normal((len(clips), width))).astype(np.float32)


def embeddings_of(clips, vectors):
    return Embeddings({c.clip_id: v for c, v in zip(clips, vectors, strict=True)})


def test_the_fit_is_the_minimum_of_what_it_says_it_minimises(clips):
    vectors, truth = telling(clips), label_numbers(clips, LABELS)
    weights = corpus_weights(clips)
    logits = fit_linear(vectors, truth, weights, len(LABELS), 0.01)
    # Of a ridge on the weights alone, bias rows balance: weighted answers equal weighted truths.
    posterior = torch.from_numpy(logits(vectors)).softmax(dim=1).numpy()
    for label in range(len(LABELS)):
        said, true = (weights * posterior[:, label]).sum(), weights[truth == label].sum()
        assert said == pytest.approx(true, abs=0.05)


def test_corpora_count_alike_up_to_twice(clips):
    few = [c for c in clips if c.corpus == "ravdess"] + [c for c in clips if c.corpus == "savee"][
        :1
    ]
    weights = corpus_weights(few)
    assert weights[-1] == 2.0
    assert weights[0] < 1.0
    both = corpus_weights(clips)
    sums = {k: both[[c.corpus == k for c in clips]].sum() for k in ("ravdess", "savee")}
    assert sums["ravdess"] == pytest.approx(sums["savee"], rel=1e-5)


def one_tells_it_otherwise(clips):
    """Vectors of which one speaker's say the emotion otherwise, whose each is, and labels."""
    speakers = sorted({c.speaker for c in clips})
    odd = [c.speaker == speakers[0] for c in clips]
    vectors = np.hstack([telling(clips), np.zeros((len(clips), len(LABELS)), np.float32)])
    vectors[odd, :12] = 0.0
    numbers = label_numbers(clips, LABELS)
    vectors[odd, 12 + numbers[odd]] = 30.0
    return vectors, odd, numbers


def test_nobody_is_answered_for_by_a_fit_on_the_same_speaker(clips):
    """One speaker's vectors say the emotion in a way of their own: only who heard them knows it."""
    vectors, odd, numbers = one_tells_it_otherwise(clips)
    teacher = EncoderTeacher(embeddings_of(clips, vectors), clips, LABELS)
    ids = [c.clip_id for c, is_odd in zip(clips, odd, strict=True) if is_odd]
    whole, nobody = torch.ones(len(ids)), torch.arange(len(ids))
    posterior, _ = teacher.answer(ids, 1.0, whole, nobody)
    right = (posterior.argmax(dim=1).numpy() == numbers[odd]).mean()
    assert right < 0.5
    inside = fit_linear(vectors, numbers, corpus_weights(clips), len(LABELS), 1.0)(vectors[odd])
    assert (inside.argmax(axis=1) == numbers[odd]).all()
    assert 0.5 < teacher.accuracy < 1.0


def test_people_that_are_heard_again_may_be_known(clips):
    """Where the held-out clips are by the same people, a fit leaves out the clip alone."""
    vectors, _, _ = one_tells_it_otherwise(clips)
    known, unknown = (
        EncoderTeacher(embeddings_of(clips, vectors), clips, LABELS, strength=1.0, knows_speakers=k)
        for k in (True, False)
    )
    assert known.accuracy > unknown.accuracy
    assert known.to_dict() != unknown.to_dict()
    backwards = EncoderTeacher(
        embeddings_of(clips, vectors), clips[::-1], LABELS, strength=1.0, knows_speakers=True
    )
    ids = [c.clip_id for c in clips]
    whole, nobody = torch.ones(len(ids)), torch.arange(len(ids))
    posteriors = [t.answer(ids, 1.0, whole, nobody)[0] for t in (known, backwards)]
    torch.testing.assert_close(*posteriors, rtol=1e-2, atol=1e-3)


def test_mixed_crops_are_taught_in_their_shares(clips):
    teacher = EncoderTeacher(embeddings_of(clips, telling(clips)), clips, LABELS)
    ids = [clips[0].clip_id, clips[-1].clip_id]
    alone, vectors = teacher.answer(ids, 2.0, torch.ones(2), torch.tensor([1, 0]))
    mixed, blend = teacher.answer(ids, 2.0, torch.tensor([0.75, 1.0]), torch.tensor([1, 0]))
    torch.testing.assert_close(mixed[0], 0.75 * alone[0] + 0.25 * alone[1])
    torch.testing.assert_close(blend[0], 0.75 * vectors[0] + 0.25 * vectors[1])
    torch.testing.assert_close(mixed[1], alone[1])
    torch.testing.assert_close(alone.sum(dim=1), torch.ones(2))


def test_components_are_of_unit_spread(clips):
    teacher = EncoderTeacher(embeddings_of(clips, telling(clips)), clips, LABELS)
    ids = [c.clip_id for c in clips]
    _, vectors = teacher.answer(ids, 1.0, torch.ones(len(ids)), torch.arange(len(ids)))
    assert vectors.shape == (len(clips), teacher.width == 12 and 12)
    np.testing.assert_allclose(vectors.numpy().std(axis=0), 1.0, rtol=1e-3)


def test_one_speaker_teaches_nothing(clips):
    own = [c for c in clips if c.speaker == clips[0].speaker]
    with pytest.raises(TrainingError, match="all training clips are of one"):
        EncoderTeacher(embeddings_of(own, telling(own)), own, LABELS)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_turns_are_as_frequent_as_the_share(runs, clips, share):
    run = open_run(runs / "f0")
    encoder = EncoderTeacher(embeddings_of(clips, telling(clips)), clips, LABELS)
    teachers = Teachers(
        [run.folder] * 2,
        run.split,
        run.checkpoint.spec,
        LABELS,
        encoder=encoder,
        encoder_share=share,
    )
    assert len(teachers) == 3
    assert teachers.widths == [32, 32, encoder.width]
    turns = [teachers.turn(number) for number in range(400)]
    assert turns.count(2) == 400 * share
    assert turns.count(0) == pytest.approx(turns.count(1), abs=1)
    torch.manual_seed(0)
    drawn = [teachers._drawn() for _ in range(400)]
    assert drawn.count(2) == pytest.approx(400 * share, abs=60)


@pytest.fixture
def taught(data, runs, tmp_path):
    """A command that is taught by vectors, and the file of them."""
    found = find_corpora([data], None, {}).clips
    file = tmp_path / "vectors.npz"
    write_embeddings(file, [c.clip_id for c in found], telling(found))
    words = train(data, runs / "cache", tmp_path / "run", "--split", "speaker", "--fold", "0")
    return [*words, "--embeddings", str(file)], file


def test_a_student_learns_from_vectors_and_goes_on_to_the_same_weights(
    taught, tmp_path, monkeypatch, capsys
):
    words, file = taught
    assert main(words) == 0
    assert "the encoder is right about" in capsys.readouterr().err
    run = open_run(tmp_path / "run")
    kept = run.config["encoder"]
    assert kept["embeddings_sha256"] == run.training["encoder"]["embeddings_sha256"]
    whole = run.digest

    class Killed(BaseException):
        pass

    real = Trainer._one_epoch

    def one(trainer):
        if trainer.epoch == 1:
            raise Killed
        real(trainer)

    words[words.index("--out") + 1] = str(tmp_path / "again")
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_one_epoch", one)
        with pytest.raises(Killed):
            main(words)
    # Other vectors are another training.
    with np.load(file) as held:
        names, rows = list(held["clips"]), held["embeddings"]
    write_embeddings(file, names, rows + 1)
    assert main(words) == 2
    assert "encoder.embeddings_sha256" in capsys.readouterr().err
    write_embeddings(file, names, rows)
    assert main(words) == 0
    assert open_run(tmp_path / "again").digest == whole


def test_the_vectors_change_what_is_learnt(data, runs, taught, tmp_path):
    words, _ = taught
    assert main([*words, "--distil-share", "0"]) == 0
    labels_alone = open_run(runs / "f0").digest
    assert open_run(tmp_path / "run").digest == labels_alone
    words[words.index("--out") + 1] = str(tmp_path / "more")
    assert main(words) == 0
    assert open_run(tmp_path / "more").digest != labels_alone


def test_vectors_teach_beside_runs_and_hold_the_pooled_vector(data, runs, taught, tmp_path):
    _, file = taught
    words = train(data, runs / "cache", tmp_path / "student", "--split", "speaker", "--fold", "0")
    words[0] = "distill"
    words += ["--teachers", str(runs / "f0"), "--embeddings", str(file), "--match-weight", "0.5"]
    assert main([*words, "--encoder-share", "0.3"]) == 0
    config = json.loads((tmp_path / "student" / "config.json").read_text())
    assert config["training"]["encoder_share"] == 0.3
    assert len(config["teachers"]) == 1
    assert len(config["encoder"]["embeddings_sha256"]) == 64


def test_clips_without_a_vector_are_one_sentence(taught, tmp_path, capsys):
    words, file = taught
    write_embeddings(file, ["nobody"], np.zeros((1, 4)))
    assert main(words) == 2
    assert "the embeddings lack" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_strength_and_share_have_ranges():
    for change in ({"encoder_share": 1.5}, {"encoder_strength": 0.0}):
        with pytest.raises(ValueError, match=next(iter(change))):
            TrainSettings(**change)
