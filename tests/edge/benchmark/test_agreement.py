"""``--audio``: how often artifacts name clips as these are labelled, or as each other."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from benchmark_fakes import fake_workers

from edge.artifact import Artifact
from edge.benchmark.agreement import Hearing, check_comparable
from edge.benchmark.clips import read_clips
from edge.benchmark.subjects import Subject
from edge.bundled import DEMO_CLIP
from edge.cli.main import main
from edge.digest import sha256_hex, sha256_of_file
from edge.errors import AudioFileError, ParameterError


class Listener:
    """Says of a clip what its file is called."""

    def __init__(self, says: dict[str, str | None]) -> None:
        self._says = says
        self.facts: dict[str, Any] = {}

    def hear(self, path: str) -> dict[str, Any]:
        said = self._says[Path(path).stem]
        if said == "broken":
            return {"problem": f"{path} cannot be read"}
        return {} if said is None else {"label": said, "probability": 0.6}

    def round(self, duration_s: float, n_least: int) -> dict[str, Any]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def lay(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def test_folders_are_labels_whatever_their_order(tmp_path: Path, subject: Subject) -> None:
    lay(tmp_path, "01_Angry/a.wav", "anna/happiness/b.wav", "sad/anna/c.wav", "other/d.wav")
    clips = read_clips(tmp_path)
    hearing = Hearing(
        clips, [subject, subject],
        [Listener({"a": "angry", "b": "sad", "c": None, "d": "sad"}),
         Listener({"a": "angry", "b": "happy", "c": None, "d": "broken"})],
    )  # fmt: skip
    first, second = hearing.reports()
    assert first["truth"] == "folders"
    assert (first["accuracy"]["n"], first["accuracy"]["value"]) == (3, 0.3333)
    low, high = first["accuracy"]["ci95"]
    assert 0.05 < low < 0.07
    assert 0.78 < high < 0.81
    assert first["recall"] == {"angry": [1, 1], "happy": [0, 1], "sad": [0, 1]}
    assert (first["n_without_speech"], first["with_first"]) == (1, None)
    assert (second["n_clips"], second["n_unreadable"]) == (4, 1)
    assert second["with_first"]["n"] == 3
    assert second["with_first"]["value"] == 0.6667
    assert second["clips_sha256"] == first["clips_sha256"]


def test_a_table_comes_before_folders(tmp_path: Path, subject: Subject) -> None:
    lay(tmp_path, "sad/a.wav", "sad/b.wav", "sad/c.wav")
    (tmp_path / "labels.csv").write_text("Emotion;path\nAnger;sad/a.wav\n;sad/b.wav\n")
    (found,) = Hearing(
        read_clips(tmp_path), [subject], [Listener({"a": "angry", "b": "sad"})]
    ).reports()
    assert (found["truth"], found["n_clips"]) == ("labels.csv", 2)
    assert found["recall"] == {"angry": [1, 1]}


def test_the_digest_is_of_the_contents(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    lay(one, "sad/a.wav")
    lay(other, "sad/b.wav")
    (other / "sad" / "b.wav").write_bytes(b"sad/a.wav")
    assert read_clips(one).digest() == read_clips(other).digest()
    (other / "sad" / "b.wav").write_bytes(b"another")
    assert read_clips(one).digest() != read_clips(other).digest()


def test_a_long_recording_is_digested_in_pieces(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "long").write_bytes(content)
    assert sha256_of_file(tmp_path / "long") == hashlib.sha256(content).hexdigest()
    assert sha256_of_file(tmp_path / "long") == sha256_hex(content)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("path,label\nnone.wav,sad\n", "names 1 file not to be found, such as"),
        ("path,label\na.wav,sad\na.wav,angry\n", "names 'a.wav' twice"),
        ("file,label\na.wav,sad\n", "has the columns 'file', 'label': path and label are wanted"),
        ("path,label\n", "names no clip"),
        ("", "has the columns none"),
        (b"\xff\xfe\xd8", "is no UTF-8 text"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(
    table: str | bytes, said: str, tmp_path: Path
) -> None:
    lay(tmp_path, "a.wav")
    (tmp_path / "labels.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    with pytest.raises(ParameterError, match=said):
        read_clips(tmp_path)


def test_clips_that_nothing_could_be_said_of_are_refused(tmp_path: Path, subject: Subject) -> None:
    with pytest.raises(ParameterError, match="no folder: a folder of clips is wanted"):
        read_clips(tmp_path / "none")
    with pytest.raises(AudioFileError):
        read_clips(tmp_path)
    clips = read_clips(lay(tmp_path, "anna/a.wav"))
    with pytest.raises(ParameterError, match="name a second artifact to compare with"):
        check_comparable(clips, [subject])
    check_comparable(clips, [subject, subject])


def test_the_command_hears_clips_after_measuring(
    tiny_artifact: Artifact,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import json

    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / "a.wav").write_bytes(DEMO_CLIP.read_bytes())
    (tmp_path / "sad" / "b.wav").write_bytes(b"no sound")
    monkeypatch.setattr("edge.benchmark.report.can_try", lambda: False)
    monkeypatch.setattr("edge.benchmark.workers.can_try", lambda: False)
    command = ["benchmark", str(tiny_artifact.path), "--duration", "0.01", "--json"]
    assert main([*command, "--audio", str(tmp_path)]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)["artifacts"][0]["agreement"]
    assert (found["n_clips"], found["n_unreadable"], found["accuracy"]["n"]) == (2, 1, 1)
    assert "1 clip cannot be heard, such as" in said.err
    fake_workers(monkeypatch, [1.0])
    assert main([*command, "--audio", str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err
