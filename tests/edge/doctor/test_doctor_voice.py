"""What the doctor says of the file in which a voice is kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from artifact_fakes import make_voice_artifact
from runtime_fakes import fake_classifier
from system_fakes import fake_look

from edge.artifact import Artifact
from edge.doctor.finding import Finding
from edge.doctor.look import Wishes
from edge.doctor.model import artifact as check_artifact
from edge.doctor.voice import voice
from edge.features.voice_reference import VoiceReference
from edge.stream.voice import VoiceState
from edge.stream.voice_file import write_voice


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return make_voice_artifact(tmp_path_factory.mktemp("artifacts") / "voice")


def found(model: Artifact, state: object, tmp_path: Path) -> Finding:
    wishes = Wishes(str(model.path), state=None if state is None else str(state))
    look = fake_look(tmp_path / "system", wishes=wishes)
    list(check_artifact(look))
    (finding,) = voice(look)
    return finding


def state() -> VoiceState:
    known = fake_classifier(voice_reference=VoiceReference((0.0,) * 34, 5.0)).stream().voice
    assert known is not None
    return dataclasses.replace(known.state(), n_frames=(100.0,) * 34)


def test_a_file_that_goes_on(knowing: Artifact, tmp_path: Path) -> None:
    path = tmp_path / "voice.json"
    assert "is not there yet" in found(knowing, path, tmp_path).sentence
    write_voice(str(path), state())
    finding = found(knowing, path, tmp_path)
    assert finding.state == "ok"
    assert finding.sentence.endswith("voice.json holds 3.2 s of a voice")
    assert found(knowing, None, tmp_path).state == "skipped"


def test_what_listen_refuses_is_told_with_its_mend(
    knowing: Artifact, tiny_artifact: Artifact, tmp_path: Path
) -> None:
    path = tmp_path / "voice.json"
    path.write_text("{")
    broken = found(knowing, path, tmp_path)
    assert (broken.state, broken.mend) == ("error", f"rm {path}")
    assert broken.sentence.endswith("is not the voice that was kept, or is damaged")
    write_voice(str(path), dataclasses.replace(state(), feature_fingerprint="f" * 16))
    other = found(knowing, path, tmp_path)
    assert (other.state, other.mend) == ("error", f"rm {path}")
    assert "name another" not in other.sentence
    nowhere = found(knowing, tmp_path / "no" / "voice", tmp_path)
    assert (nowhere.state, nowhere.mend) == ("error", f"mkdir -p {tmp_path}/no")
    needless = found(tiny_artifact, path, tmp_path)
    assert needless.state == "error"
    assert "takes no reference for the voice" in needless.sentence
