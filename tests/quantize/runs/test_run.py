"""A run folder: what is current in it, what is refused, and that nobody else knows its files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_commands import evaluate, train

import quantize
from edge.artifact import read_artifact
from quantize.basics.errors import CheckpointError, TrainingError
from quantize.commands.main import main
from quantize.runs.checkpoint import load_checkpoint, save_checkpoint
from quantize.runs.clips import check_one_label_map
from quantize.runs.files import RunFiles
from quantize.runs.provenance import commit
from quantize.runs.run import open_run
from quantize.runs.temperature import Tempering

FILES = RunFiles(Path())


@pytest.fixture
def run(runs, tmp_path):
    """A copy of a trained run, without artifacts."""
    folder = tmp_path / "runs" / "f0"
    shutil.copytree(runs / "f0", folder, ignore=shutil.ignore_patterns("artifacts"))
    return folder


@pytest.fixture(scope="module")
def mapped(data, runs, tmp_path_factory):
    """A run whose labels are not the corpora's own."""
    folder = tmp_path_factory.mktemp("mapped") / "run"
    words = train(data, runs / "cache", folder, "--map-label", "boredom=neutral", "--epochs", "1")
    assert main(words) == 0
    return folder


def change_weights(folder: Path) -> None:
    """As a second training in the same folder would."""
    saved = load_checkpoint(folder / FILES.checkpoint)
    saved.model.fc2.bias.data += 0.5
    save_checkpoint(folder / FILES.checkpoint, saved)


def test_no_other_room_knows_the_names_of_the_files():
    names = [FILES.checkpoint, FILES.config, FILES.split, FILES.temperature, FILES.state]
    pattern = "|".join(re.escape(path.name) for path in (*names, FILES.history))
    root = Path(quantize.__file__).parent
    benchmarks = root.parent / "benchmarks"
    for path in (*root.rglob("*.py"), *benchmarks.rglob("*.py")):
        if path.parent.name == "runs" and path.is_relative_to(root):
            continue
        # A large model's folder is another program's, whose settings are called so, too.
        if path.parent.name == "encoders":
            continue
        # In help and in words about them they may be named.
        found = re.findall(rf"[\"']({pattern})[\"']", path.read_text(encoding="utf-8"))
        assert not found, f"{path} names {found}: ask quantize.runs.run.Run"


def test_an_artifact_of_older_weights_is_exported_again(data, runs, run, capsys):
    words = evaluate(data, runs, str(run), "--kind", "numpy-int8")
    assert main(words) == 0
    artifact = open_run(run).files.artifact("numpy-int8")
    old = read_artifact(artifact).manifest
    assert main(words) == 0
    assert read_artifact(artifact).manifest == old
    assert "exported again" not in capsys.readouterr().err
    change_weights(run)
    assert main(words) == 0
    new = read_artifact(artifact).manifest
    assert new.model_sha256 != old.model_sha256
    assert new.training["run_digest"] == open_run(run).digest
    assert "exported again: it is of other weights than the run's" in capsys.readouterr().err


def test_an_artifact_of_older_weights_is_not_verified(run, capsys):
    artifact = open_run(run).artifact("numpy-int8")
    change_weights(run)
    assert main(["verify", str(artifact), "--segments", "2"]) == 2
    assert "was exported from other weights" in capsys.readouterr().err


def test_a_temperature_of_older_weights_is_not_used(run, capsys):
    open_run(run).keep(Tempering(1.7, ("speaker-5fold-s0-f1",)), 9)
    assert open_run(run).temperature == 1.7
    change_weights(run)
    assert open_run(run).temperature == 1.0
    assert "was chosen for other weights" in capsys.readouterr().err
    # Nor is one that does not tell.
    path = open_run(run).files.temperature
    entry = json.loads(path.read_text())
    del entry["run_digest"]
    path.write_text(json.dumps(entry))
    assert open_run(run).temperature == 1.0
    told = capsys.readouterr().err
    assert "does not tell for which weights it was chosen" in told
    assert "other weights" not in told


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["quantize", "--recipe", "numpy_weight_only_wi4"], "by another recipe"),
        (["export", "--gate"], "another speech gate"),
    ],
)
def test_an_artifact_of_another_recipe_or_gate_is_exported_again(run, words, reason, capsys):
    from quantize.export.gate import read_default_gate

    opened = open_run(run)
    folder = opened.files.artifact("numpy-int8")
    command, *more = words
    if more[-1] == "--gate":
        default = read_default_gate(opened.checkpoint.spec)
        assert default is not None
        gate = default.to_dict()
        gate["open_above"] = 0.75
        path = run / "gate.json"
        path.write_text(json.dumps(gate))
        more.append(str(path))
    else:
        more += ["--segments", "4"]
    assert main([command, str(run), "--out", str(folder), *more]) == 0
    opened.artifact("numpy-int8")
    assert reason in capsys.readouterr().err
    assert read_artifact(folder).manifest.quantization.recipe == "numpy_weight_only_wi8"


def test_a_run_that_takes_no_files_can_be_measured(data, runs, run, tmp_path, capsys):
    # As on a medium that cannot be written: nothing can be made under these names.
    (run / "artifacts").write_text("")
    for kind in ("torch", "numpy-int8"):
        path = open_run(run).files.measured(f"{kind}-unknown")["figures"]
        path.unlink(missing_ok=True)
        path.mkdir()
    report = tmp_path / "report.json"
    for kind in ("torch", "numpy-int8"):
        words = evaluate(data, runs, str(run), "--kind", kind, "--output", str(report))
        assert main(words) == 0
        assert "takes no figures" in capsys.readouterr().err
        assert json.loads(report.read_text())["runs"][0]["n"] > 0


def test_the_digest_is_of_the_content(run):
    before = open_run(run)
    content = before.files.checkpoint.read_bytes()
    saved = load_checkpoint(before.files.checkpoint)
    save_checkpoint(before.files.checkpoint, saved)
    # The same is the same file, too: keys are in order.
    assert before.files.checkpoint.read_bytes() == content
    saved.training["commit"] = "another"
    save_checkpoint(before.files.checkpoint, saved)
    assert before.files.checkpoint.read_bytes() != content
    assert open_run(run).digest == before.digest
    change_weights(run)
    assert open_run(run).digest != before.digest


def test_a_checkpoint_follows_the_umask(run):
    path = run / FILES.checkpoint
    saved = load_checkpoint(path)
    before = os.umask(0o027)
    try:
        save_checkpoint(path, saved)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_a_checkpoint_that_asks_for_gigabytes_is_refused_before_it_gets_them(run):
    path = run / FILES.checkpoint
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    config = json.loads(header["__metadata__"]["config"])
    config["hidden"] = 10_000
    header["__metadata__"]["config"] = json.dumps(config)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])

    code = (
        "import resource, sys\n"
        "from quantize.basics.errors import CheckpointError\n"
        "from quantize.runs.checkpoint import load_checkpoint\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        "most = pages * resource.getpagesize() + 500_000_000\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "try:\n"
        "    load_checkpoint(sys.argv[1])\n"
        "except CheckpointError as error:\n"
        "    print(error)\n"
        # Which takes longer to import than all else, and is for nothing here.
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert "its config asks for" in done.stdout


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["checkpoint", "config", "split", "temperature"])
def test_a_file_that_is_cut_off_is_one_sentence(data, runs, run, name, share, capsys):
    open_run(run).keep(Tempering(1.7, ("speaker-5fold-s0-f1",)), 9)
    path = getattr(open_run(run).files, name)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * (len(content) - 2))])
    assert main(evaluate(data, runs, str(run))) == 2
    told = capsys.readouterr().err
    assert told.count("error:") == 1
    assert path.name in told


def test_files_of_different_runs_are_not_taken_for_one(data, runs, run, capsys):
    shutil.copy(runs / "f1" / FILES.checkpoint, run / FILES.checkpoint)
    assert main(evaluate(data, runs, str(run))) == 2
    assert "the two are of different runs" in capsys.readouterr().err
    shutil.copy(runs / "f1" / FILES.split, run / FILES.split)
    # With its split, too, the settings are still the other one's.
    assert main(evaluate(data, runs, str(run))) == 2
    assert "config.json tells of other clips" in capsys.readouterr().err
    shutil.copy(runs / "f1" / FILES.config, run / FILES.config)
    assert open_run(run).clips(data)
    (run / FILES.split).unlink()
    assert main(evaluate(data, runs, str(run))) == 2
    assert FILES.split.name in capsys.readouterr().err


def test_settings_of_another_training_of_the_same_clips_are_refused(data, runs, run, capsys):
    """A report would tell of them as what was measured."""
    path = run / FILES.config
    config = json.loads(path.read_text())
    for table, name, called in (
        ("training", "epochs", "epochs"),
        ("run", "n_variants", "variants"),
        ("training", "learning_rate", "settings"),
        (None, "recipe", "recipe"),
    ):
        other = json.loads(path.read_text())
        (other[table] if table else other)[name] = 7 if table else "another"
        path.write_text(json.dumps(other))
        assert main(evaluate(data, runs, str(run))) == 2
        told = capsys.readouterr().err
        assert f"config.json tells of other {called} than the checkpoint" in told
        path.write_text(json.dumps(config))
    assert main(evaluate(data, runs, str(run))) == 0


def test_a_run_is_measured_with_its_own_labels(data, runs, mapped, tmp_path, capsys):
    report = tmp_path / "report.json"
    assert main(evaluate(data, runs, str(mapped), "--output", str(report))) == 0
    own = json.loads((mapped / "evaluation-torch-unknown.json").read_text())
    # The very figures that the training ended with.
    assert json.loads(report.read_text())["runs"][0]["confusion"] == own["confusion"]
    same = evaluate(data, runs, str(mapped), "--map-label", "boredom=neutral")
    assert main(same) == 0
    capsys.readouterr()
    other = evaluate(data, runs, str(mapped), "--map-label", "boredom=sad")
    assert main(other) == 2
    assert "was trained with --map-label boredom=neutral" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["verify", "quantize", "search", "calibrate"])
def test_every_command_takes_the_runs_own_labels(data, runs, mapped, tmp_path, command, capsys):
    common = ["--data", str(data), "--cache", str(runs / "cache"), "--workers", "1"]
    artifact = str(open_run(mapped).artifact("numpy-int8"))
    words = {
        "verify": ["verify", artifact, "--run", str(mapped)],
        "quantize": [
            "quantize", str(mapped), "--recipe", "numpy_fp32", "--out", str(tmp_path / "q"),
        ],
        "search": ["search", str(mapped), "--out", str(tmp_path / "s")],
        "calibrate": ["calibrate", str(mapped), str(mapped), "--also", str(mapped)],
    }[command]  # fmt: skip
    assert main([*words, *common, "--map-label", "boredom=sad"]) == 2
    told = capsys.readouterr().err
    if command == "calibrate":
        assert "two or more folds" in told
    else:
        assert "was trained with --map-label boredom=neutral" in told


def test_runs_of_different_labels_are_not_put_side_by_side(data, runs, mapped, capsys):
    with pytest.raises(TrainingError, match="name runs of one label map"):
        check_one_label_map([open_run(mapped), open_run(runs / "f0")])
    assert main(evaluate(data, runs, str(mapped), str(runs / "f0"))) == 2
    assert "name runs of one label map" in capsys.readouterr().err


def test_a_training_that_is_not_finished_is_no_run(runs, tmp_path):
    shutil.copytree(runs / "f0", tmp_path / "part")
    (tmp_path / "part" / FILES.checkpoint).rename(tmp_path / "part" / FILES.state)
    with pytest.raises(CheckpointError, match="has not come to its end"):
        open_run(tmp_path / "part")
    with pytest.raises(CheckpointError, match="train one first"):
        open_run(tmp_path / "nothing")


def git(folder: Path, *words: str) -> str:
    about = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *about, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_commit_is_that_of_the_checkout_the_code_lies_in(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text(".venv\n")
    code = tmp_path / "quantize"
    code.mkdir()
    (code / "__init__.py").write_text("")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    sha = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert commit(code) == sha
    (code / "__init__.py").write_text("x = 1\n")
    assert commit(code) == f"{sha}+"
    # Installed into the virtual environment of somebody's repository.
    installed = tmp_path / ".venv" / "site-packages" / "quantize"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert commit(installed) == "unknown"
