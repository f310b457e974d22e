"""The Debian package: its unit, configuration, manual page and licences, and that it is heard."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from edge.cli.main import _parser
from edge.cli.unit import UnitSettings, unit_text
from tools import make_deb
from tools.manual import manual

PARTS = make_deb.PARTS


def printed_config(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "edge_ser", "listen", "--config", str(path), "--print-config"],
        check=False, capture_output=True, text=True, cwd=make_deb.ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_unit_runs_as_its_own_user_and_is_the_printed_one_otherwise() -> None:
    unit = make_deb.unit().splitlines()
    assert {"User=edge-ser", "Group=edge-ser", "WorkingDirectory=%S/edge-ser"} <= set(unit)
    assert "DynamicUser=yes" not in unit
    assert "ExecStart=/usr/bin/edge-ser listen" in unit
    printed = unit_text(UnitSettings(["/usr/bin/edge-ser", "listen"], True, has_network=True))
    wanted = [line for line in printed.splitlines() if line and not line.startswith("#")]
    assert [line for line in wanted if line not in unit] == ["DynamicUser=yes"]


def test_the_configuration_and_its_examples_are_understood(tmp_path: Path) -> None:
    text = (PARTS / "config.toml").read_text(encoding="utf-8")
    shown = printed_config(PARTS / "config.toml")
    examples = tmp_path / "config.toml"
    examples.write_text(re.sub(r"^# (?=\[\[|\w+ = )", "", text, flags=re.MULTILINE))
    all_shown = printed_config(examples)
    assert "gain = 0.0" in shown
    assert "gain = 6.0" in all_shown
    assert "jsonl:decisions.jsonl" in all_shown
    assert "homeassistant.local" in all_shown


def test_whoever_is_purged_leaves_nothing() -> None:
    script = (PARTS / "edge-ser.postrm").read_text(encoding="utf-8")
    sysusers = (PARTS / "edge-ser.sysusers").read_text(encoding="utf-8")
    assert "rm -rf /var/lib/edge-ser" in script
    assert "userdel edge-ser" in script
    assert "m edge-ser audio" in sysusers
    subprocess.run(["sh", "-n", str(PARTS / "edge-ser.postrm")], check=True)


def test_every_licence_names_files_that_are_there() -> None:
    text = (PARTS / "copyright").read_text(encoding="utf-8")
    patterns = [
        pattern.removeprefix("library/")
        for line in re.findall(r"^Files: (.*)$", text, re.MULTILINE)
        for pattern in line.split()
        if pattern.startswith("library/") and "sounddevice" not in pattern
    ]
    models = [path for path in (make_deb.ROOT / "edge" / "bundled").iterdir() if path.is_dir()]
    names = {f"edge/bundled/{path.name}" for path in models if (path / "manifest.json").exists()}
    assert {name for name in names if any(fnmatch(name, each) for each in patterns)} == names


def test_the_manual_page_has_every_command_and_option() -> None:
    page = manual("2026-01-02").replace("\\-", "-")
    parser = _parser()
    [commands] = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    for name, command in commands.choices.items():
        assert f".SS {name}\n" in page
        section = page.partition(f".SS {name}\n")[2].partition("\n.S")[0]
        for action in command._actions:
            if action.help != argparse.SUPPRESS:
                assert all(f"\\fB{word}\\fR" in section for word in action.option_strings)
    assert "2026-01-02" in page
    assert "%(" not in page


def test_the_manual_page_reads_without_a_warning(tmp_path: Path) -> None:
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("man and groff are not installed")
    path = tmp_path / "edge-ser.1"
    path.write_text(manual("2026-01-02"), encoding="utf-8")
    environment = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["man", "--warnings", "-l", str(path)],
        check=False, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for tool in ("git", "dpkg-buildpackage", "dh", "dh_python3"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if not (make_deb.ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("package")
    folder.chmod(0o755)
    return make_deb.build(make_deb.ROOT, folder / "out")


@pytest.mark.timeout(600)
def test_it_is_built_unpacked_and_heard(package: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    library = root / "usr" / "share" / "edge-ser"
    program = (root / "usr" / "bin" / "edge-ser").read_text(encoding="utf-8")
    moved = tmp_path / "edge-ser"
    moved.write_text(program.replace("/usr/share/edge-ser", str(library)), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    clip = library / "edge" / "bundled" / "demo" / "dialogue.wav"
    done = subprocess.run(
        [sys.executable, str(moved), "classify", str(clip), "--json"],
        check=False, capture_output=True, text=True, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["posterior"].values()) == pytest.approx(1, abs=1e-3)
    told = subprocess.run(
        ["dpkg-deb", "--field", str(package), "Architecture", "Depends"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "Architecture: all" in told
    assert "python3-numpy" in told
    # systemd itself leaves folders behind, where a package had to bring it.
    assert "systemd-standalone-sysusers | systemd-sysusers" in told
    assert not re.search(r"\bsystemd \|", told)


@pytest.mark.timeout(600)
def test_lintian_has_nothing_to_say(package: Path) -> None:
    if shutil.which("lintian") is None:
        pytest.skip("lintian is not installed")
    [changes] = package.parent.glob("*.changes")
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    done = subprocess.run(
        ["lintian", *as_root, "--fail-on", "error,warning", str(changes)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.timeout(7_200)
def test_piuparts_finds_nothing_left_behind(package: Path, tmp_path: Path) -> None:
    if shutil.which("piuparts") is None:
        pytest.skip("piuparts is not installed")
    # It fetches a whole Debian, which no test does of itself.
    mirror = os.environ.get("EDGE_SER_MIRROR")
    if not mirror or os.geteuid() != 0:
        pytest.skip("piuparts wants root and a mirror of Debian, EDGE_SER_MIRROR='http://... main'")
    done = subprocess.run(
        ["piuparts", "-d", "bookworm", "-m", mirror, "-t", str(tmp_path), str(package)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
