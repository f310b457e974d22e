"""The right answer to every file that was met in the field: by command and in Python."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from field_case import NO_LABEL, Case
from field_cases import cases

import edge
from edge.cli.main import main

CASES = cases()
#: How files are read is asked for, not how sure the model is of a voice over a telephone.
NO_BAR = ("--min-probability", "0")
HEARD = [case for case in CASES if case.error is None]
REFUSED = [case for case in CASES if case.error is not None]


@dataclasses.dataclass(frozen=True)
class Said:
    """What one run of the command came to."""

    folder: Path
    exit_code: int
    records: dict[str, dict[str, Any]]
    notices: list[str]


def classify(folder: Path, chosen: list[Case]) -> Said:
    """Write files and let the command classify all of them at once."""
    for case in chosen:
        (folder / case.name).write_bytes(case.content)
    output, notices = io.StringIO(), io.StringIO()
    paths = [str(folder / case.name) for case in chosen]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(notices):
        exit_code = main(["classify", "--backend", "numpy", "--json", *NO_BAR, *paths])
    records = [json.loads(line) for line in output.getvalue().splitlines()]
    return Said(
        folder,
        exit_code,
        {Path(record["path"]).name: record for record in records},
        notices.getvalue().splitlines(),
    )


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Said:
    return classify(tmp_path_factory.mktemp("heard"), HEARD)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Said:
    # A line that is pasted has to bear what people call their folders.
    folder = tmp_path_factory.mktemp("refused") / "Bob's recordings; (2) $HOME"
    folder.mkdir()
    return classify(folder, REFUSED)


@pytest.fixture(scope="module")
def classifier() -> edge.Classifier:
    return edge.load(backend="numpy")


def test_every_file_of_the_field_is_answered(heard: Said) -> None:
    assert heard.exit_code == 0
    assert len(heard.records) == len(HEARD)


def test_the_clip_itself_is_clear(heard: Said) -> None:
    record = heard.records["base.wav"]
    assert record["posterior"][record["label"]] > 0.6
    assert record["n_segments"] > 1


@pytest.mark.parametrize("case", HEARD, ids=lambda case: case.name)
def test_the_right_answer(case: Case, heard: Said, classifier: edge.Classifier) -> None:
    record, base = heard.records[case.name], heard.records["base.wav"]
    if case.warning is None:
        assert record["warning"] is None
    else:
        assert re.search(case.warning, record["warning"] or "")
        assert "; " not in (record["warning"] or "").replace("; the model has learnt", ",")
    if case.quiet:
        assert (record["state"], record["label"], record["posterior"]) == ("quiet", None, None)
        assert record["n_speech_segments"] == 0
    else:
        assert record["state"] == "speech"
        if case.within != NO_LABEL:
            assert record["label"] == base["label"]
            for label, share in base["posterior"].items():
                assert record["posterior"][label] == pytest.approx(share, abs=case.within)
    answer = classifier.classify_file(heard.folder / case.name, min_probability=0.0).to_dict()
    assert {**answer, "ms": 0} == {**record, "ms": 0}


def test_every_refusal_is_one_sentence(refused: Said) -> None:
    assert refused.exit_code == 2
    assert refused.records == {}
    errors = [line for line in refused.notices if line.startswith("edge-ser: error: ")]
    assert len(errors) == len(REFUSED)
    assert not any("Traceback" in line for line in refused.notices)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_the_right_refusal(case: Case, refused: Said, classifier: edge.Classifier) -> None:
    path = refused.folder / case.name
    with pytest.raises(edge.EdgeSerError) as caught:
        classifier.classify_file(path)
    sentence = str(caught.value)
    assert case.error is not None
    assert re.search(case.error, sentence)
    assert str(path) in sentence or case.name in sentence
    assert f"edge-ser: error: {sentence}" in refused.notices
    if "`ffmpeg" in sentence:
        line = shlex.split(sentence.rsplit(" `", 1)[1].rsplit("`", 1)[0])
        assert line[:3] == ["ffmpeg", "-i", str(path)]
        assert line[-1].endswith(".wav")
        assert line[-1] != case.name


#: Names, what the decisions are, and the warning.
LISTENED = [
    ("base.wav", "speech", None),
    ("rate44100.wav", "speech", None),
    ("dc_0.02.wav", "speech", None),
    ("room_noise.wav", "quiet", None),
    ("silence_dc_0.01.wav", "quiet", None),
    ("stereo_inverted.wav", "speech", "turned upside down"),
    ("size_off_by_16.wav", "speech", "16 bytes are missing"),
    ("cat3.wav", "speech", "follow unheard"),
    ("gain+20.wav", "speech", "the sound clips"),
    ("rate8000.wav", "speech", "kHz was heard: the recording comes from a telephone"),
    ("rate4000.wav", "speech", "nothing above 2.0 kHz is in"),
]


@pytest.mark.parametrize(("name", "state", "warning"), LISTENED)
def test_listening_says_the_same(
    heard: Said, capsys: pytest.CaptureFixture[str], name: str, state: str, warning: str | None
) -> None:
    source = str(heard.folder / name)
    command = ["listen", "--backend", "numpy", "--fast", "--json", *NO_BAR, "--source", source]
    assert main(command) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    decisions = [record for record in records if "state" in record]
    assert {decision["state"] for decision in decisions} == {state}
    expected = {heard.records[name]["label"]}
    assert {decision["label"] for decision in decisions} == expected
    (said,) = [record["warning"] for record in records if record.get("warning")] or [None]
    assert (said is None) == (warning is None)
    assert warning is None or warning in said
