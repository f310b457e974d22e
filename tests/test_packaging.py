"""What is in the repository and what a person gets when installing it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10; pytest brings the same parser there
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
SKIPPED_FOLDERS = {"__pycache__", "build", "node_modules"}
# What commands leave at the top; below it these are names of rooms.
LEFT_AT_TOP = {"dist", "runs", "cache"}
AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aif", ".aiff", ".sph", ".raw"}
OWN_AUDIO = {"edge/bundled/demo/dialogue.wav"}
# File names as RAVDESS, EMO-DB, SAVEE and TESS have them.
CORPUS_NAME = re.compile(
    r"^(\d\d(-\d\d){6}|\d\d[abc]\d\d[WLEAFTN][a-f]|(DC|JE|JK|KL)_?(a|d|f|h|n|sa|su)\d\d|[OY]AF_\w+)$"
)
# Spelt in pieces so that this file does not match itself.
MACHINE_TRACE = re.compile(
    "|".join(
        [
            "/wor" + "k/",
            "/roo" + "t/",
            "/hom" + r"e/(?!pi\b)\w",
            "/Use" + r"rs/\w",
            "/opt/wh" + "eels",
            "file" + ":///",
            "pypi" + r"\.org/simple",
            "python" + "hosted",
            "--index" + "-url",
        ]
    ).encode()
)


def git_files() -> list[str] | None:
    """List what git tracks; None when this checkout is not a repository of its own."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--full-name", "--", "."]
    try:
        top = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "--show-toplevel"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        if Path(top).resolve() != ROOT:
            return None
        names = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return [name for name in names.split("\0") if name and (ROOT / name).is_file()]


def walked_files() -> list[str]:
    names = []
    for folder, subfolders, files in os.walk(ROOT):
        subfolders[:] = [
            name
            for name in subfolders
            if name not in SKIPPED_FOLDERS
            and not (folder == str(ROOT) and name in LEFT_AT_TOP)
            and not name.endswith(".egg-info")
            and (not name.startswith(".") or name == ".ci")
        ]
        names += [(Path(folder) / name).relative_to(ROOT).as_posix() for name in files]
    return names


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    names = git_files() or walked_files()
    assert "pyproject.toml" in names
    assert "edge/errors.py" in names
    return names


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def workstation() -> dict[str, object]:
    return tomllib.loads((ROOT / "quantize" / "pyproject.toml").read_text(encoding="utf-8"))


def requirement_name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_the_walk_finds_what_git_lists():
    listed = git_files()
    if listed is None:
        pytest.skip("not a git checkout")
    shown = {name for name in listed if not name.startswith(".")}
    assert shown <= set(walked_files())


def test_base_install_is_numpy_and_sounddevice_alone(project):
    names = sorted(map(requirement_name, project["dependencies"]))
    # The last is part of Python from 3.11 on.
    assert names == ["numpy", "sounddevice", "tomli"]
    assert project["dependencies"][-1].endswith("; python_version < '3.11'")


def test_every_promised_extra_exists(project):
    extras = project["optional-dependencies"]
    wanted = "onnx tflite torchscript audio-files explain dev"
    assert set(extras) >= set(wanted.split())
    assert all(extras.values())


def test_torch_stays_out_of_the_device_extras(project):
    for extra in ("onnx", "tflite", "audio-files", "explain"):
        names = map(requirement_name, project["optional-dependencies"][extra])
        assert "torch" not in names, extra


def test_the_workstation_is_a_distribution_of_its_own(project, workstation):
    """Of one version, with every folder of its code, and nothing that an index could replace."""
    own = workstation["project"]
    assert own["version"] == project["version"]
    assert own["requires-python"] == project["requires-python"]
    assert set(own["scripts"]) == {"edge-ser-quantize"}
    assert set(project["scripts"]) == {"edge-ser"}
    folders = {path.parent for path in (ROOT / "quantize").rglob("__init__.py")}
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    # What pip leaves behind when it installs from the folder.
    packages = {name for name in packages if not name.startswith("quantize.build.")}
    assert set(workstation["tool"]["setuptools"]["packages"]) == packages
    requirements = [*project["dependencies"], *own["dependencies"]]
    for extra in project["optional-dependencies"].values():
        requirements += extra
    names = {requirement_name(requirement) for requirement in requirements}
    assert not {name for name in names if name.startswith("edge-ser")}


def test_nobody_is_sent_to_an_index_for_a_name_that_is_not_ours_there(tracked):
    """Neither distribution is published: whoever takes the name could be installed instead."""
    ours = re.compile(rb"""pip3? install +(?:[\w."'=*<>/-]+ +)*["']?edge[-_]ser|edge[-_]ser\[""")
    shown = [name for name in tracked if not name.startswith(("tests/", "CHANGELOG"))]
    assert {name for name in shown if ours.search((ROOT / name).read_bytes())} == set()


def test_constraints_pin_all_that_make_test_installs(project, workstation):
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {}
    for line in lines:
        if line and not line.startswith("#"):
            match = re.match(
                r"([a-z0-9.-]+)==([\w.]+)( ; python_version (>=|<) \"3\.\d+\")?$", line
            )
            assert match, f"not a plain pin: {line!r}"
            pins[match[1]] = match[2]
    extras = project["optional-dependencies"]
    wanted = {
        requirement_name(requirement)
        for requirement in [
            *project["dependencies"],
            *workstation["project"]["dependencies"],
            *extras["dev"],
        ]
    }
    assert wanted <= set(pins)
    assert pins["torch"] == "2.13.0"


def test_no_tracked_file_is_large(tracked):
    sizes = {name: (ROOT / name).stat().st_size for name in tracked}
    assert {name: size for name, size in sizes.items() if size > 700_000} == {}


def test_tracked_audio_is_our_own(tracked):
    audio = {name for name in tracked if PurePosixPath(name).suffix.lower() in AUDIO_SUFFIXES}
    assert audio <= OWN_AUDIO


def test_corpus_names_are_recognised():
    for stem in ("03-01-06-01-02-01-12", "03a01Fa", "DC_a01", "KLsa01", "OAF_back_sad"):
        assert CORPUS_NAME.match(stem), stem
    for stem in ("dialogue", "sa01", "mfcc", "2026-01-02"):
        assert not CORPUS_NAME.match(stem), stem


def test_no_file_is_named_like_a_corpus_clip(tracked):
    assert [name for name in tracked if CORPUS_NAME.match(PurePosixPath(name).stem)] == []


def test_tracked_files_name_no_machine(tracked):
    found = {
        name: MACHINE_TRACE.findall((ROOT / name).read_bytes())
        for name in tracked
        if MACHINE_TRACE.search((ROOT / name).read_bytes())
    }
    assert found == {}


def test_python_files_stay_short(tracked):
    lengths = {
        name: len((ROOT / name).read_bytes().splitlines())
        for name in tracked
        if name.endswith(".py")
    }
    # A file of tests is a list, not a machine: it may be longer than a module.
    limits = {name: 500 if name.startswith("tests/") else 330 for name in lengths}
    assert {name: n for name, n in lengths.items() if n > limits[name]} == {}


def test_every_folder_of_code_is_a_package(tracked):
    folders = {
        str(PurePosixPath(name).parent)
        for name in tracked
        if name.endswith(".py") and name.split("/")[0] in {"edge", "quantize"}
    }
    assert sorted(f for f in folders if f"{f}/__init__.py" not in tracked) == []


def test_tests_have_unique_names(tracked):
    names = [PurePosixPath(name).name for name in tracked if name.startswith("tests/")]
    tests = [name for name in names if name.startswith("test_")]
    assert sorted({name for name in tests if tests.count(name) > 1}) == []


def test_continuous_integration_calls_make_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^exec make test$", script.read_text(encoding="utf-8"), re.MULTILINE)


def test_changelog_knows_the_version(project):
    version = re.escape(project["version"])
    assert re.search(
        rf"^## \[({version}|Unreleased)\]",
        (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        re.M,
    )


def test_versions_agree(project):
    import edge

    assert edge.__version__ == project["version"]
