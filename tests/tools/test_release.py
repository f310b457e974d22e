"""A release is of one commit whose version, tag and changes agree, and comes out the same twice."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools import release
from tools.check_wheel import CheckError

CHANGES = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-02\n\n- One.\n"


def git(folder: Path, *words: str) -> None:
    names = ("-c", "user.name=n", "-c", "user.email=n@n.invalid", "-c", "tag.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *names, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    for name, text in {
        "pyproject.toml": 'version = "1.2.0"\n',
        "quantize/pyproject.toml": 'version = "1.2.0"\n',
        "edge/__init__.py": '__version__ = "1.2.0"\n',
        "CHANGELOG.md": CHANGES,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(tmp_path, "init", "-q", str(folder))
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "c", "--allow-empty")


def test_a_commit_that_agrees_is_released(checkout: Path) -> None:
    before = release.read_commit(checkout)
    assert (before.version, before.tag) == ("1.2.0", None)
    git(checkout, "tag", "v1.2.0")
    after = release.read_commit(checkout)
    assert after.tag == "v1.2.0"
    todo = "\n".join(release.steps(after, [Path("a.whl")], Path("dist")))
    assert "git tag" not in todo
    assert "git tag" in "\n".join(release.steps(before, [Path("a.whl")], Path("dist")))
    assert "twine upload dist/a.whl" in todo


@pytest.mark.parametrize(
    ("name", "text", "tag", "said"),
    [
        ("edge/__init__.py", '__version__ = "1.3.0"\n', None, "the versions differ"),
        ("pyproject.toml", "nothing\n", None, "pyproject.toml names no version"),
        ("CHANGELOG.md", CHANGES.replace(" - 2026-01-02", ""), None, "one with a date is wanted"),
        ("CHANGELOG.md", "## [Unreleased]\n", "v1.2.0", r"no line ## \[1\.2\.0\]"),
        ("CHANGELOG.md", "## [1.3.0] - 2026-02-02\n" + CHANGES, None, "the newest comes first"),
        ("CHANGELOG.md", CHANGES.replace("d]\n", "d]\n\n- Two.\n"), None, "move them"),
        ("CHANGELOG.md", CHANGES, "v1.1.0", "one of them is wrong"),
    ],
)
def test_what_does_not_agree_is_refused(
    checkout: Path, name: str, text: str, tag: str | None, said: str
) -> None:
    (checkout / name).write_text(text)
    commit(checkout)
    if tag is not None:
        git(checkout, "tag", tag)
    with pytest.raises(CheckError, match=said):
        release.read_commit(checkout)


def test_a_version_that_was_released_is_not_released_again(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.0")
    commit(checkout)
    with pytest.raises(CheckError, match=r"v1\.2\.0 is another commit"):
        release.read_commit(checkout)


def test_what_is_not_committed_is_refused(checkout: Path) -> None:
    (checkout / "new.py").write_text("")
    with pytest.raises(CheckError, match=r"1 files .*new\.py"):
        release.read_commit(checkout)


def test_an_export_is_the_commit_alone(checkout: Path, tmp_path: Path) -> None:
    name = release.read_commit(checkout).name
    (checkout / "left.py").write_text("")
    # Whoever commits while a release is built does not change it.
    commit(checkout)
    release.export(checkout, tmp_path / "export", name)
    found = {path.name for path in (tmp_path / "export").rglob("*") if path.is_file()}
    assert found == {"pyproject.toml", "__init__.py", "CHANGELOG.md"}


def test_a_source_archive_holds_nothing_of_the_machine(tmp_path: Path) -> None:
    """Other owners, times, rights and order: the same bytes."""
    made = []
    for number, names in enumerate((["b", "a"], ["a", "b"])):
        path = tmp_path / f"{number}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name in names:
                entry = tarfile.TarInfo(f"top/{name}")
                entry.size, entry.uid, entry.uname = 3, number, f"user{number}"
                entry.mtime, entry.mode = 1000 + number, (0o664, 0o600)[number]
                archive.addfile(entry, io.BytesIO(name.encode() * 3))
        release.settle(path, 1_000_000)
        made.append(path.read_bytes())
    assert made[0] == made[1]
    with tarfile.open(tmp_path / "0.tar.gz") as archive:
        [first, _] = archive.getmembers()
        assert (first.name, first.mtime, first.uid, first.mode) == ("top/a", 1_000_000, 0, 0o644)
        file = archive.extractfile(first)
        assert file is not None
        assert file.read() == b"aaa"


def test_the_workstation_carries_the_same_licence() -> None:
    root = release.ROOT
    assert (root / "quantize" / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()
    assert os.path.getsize(root / "quantize" / "README.md") > 0


def test_a_source_archive_has_what_its_tests_read() -> None:
    lines = (release.ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()
    assert "recursive-include packaging *" in lines
    assert any(line.startswith("include ") and ".dockerignore" in line.split() for line in lines)
