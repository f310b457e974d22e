"""Build what a release consists of, check it, and say what a person has to do to publish it.

    make release

Both distributions, each as source archive and wheel, from the last commit alone: what is not
committed is refused, and what git ignores is not there.  Everything is built twice, in two
folders, and has to come out the same, byte for byte.  Nothing is uploaded.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tools import check_wheel
from tools.check_wheel import ROOT, CheckError, check

DISTRIBUTIONS = ("edge-ser", "edge-ser-quantize")
#: The environment that has the builder and its backend already: nothing is fetched while building.
BUILD_OPTIONS = ("--no-isolation",)
#: Where the version stands.
PLACES = {
    "pyproject.toml": r'^version = "(.+)"$',
    "quantize/pyproject.toml": r'^version = "(.+)"$',
    "edge/__init__.py": r'^__version__ = "(.+)"$',
}


@dataclasses.dataclass(frozen=True, slots=True)
class Commit:
    """What is released.

    Parameters
    ----------
    name : str
        Its hash: whoever commits meanwhile changes nothing.
    version : str
        Of both distributions.
    made_at : int
        When the commit was made, seconds since 1970: the time of every file in an archive.
    tag : str or None
        The version's tag, where it names this commit.
    changes : str or None
        The version's heading in CHANGELOG.md; None where its changes are still unreleased.
    """

    name: str
    version: str
    made_at: int
    tag: str | None
    changes: str | None


def git(root: Path, *words: str) -> str:
    """Ask git."""
    return check_wheel.run("git", "-C", root, *words, cwd=root).strip()


def read_version(root: Path) -> str:
    """Read the version, which every place has to agree on.

    Raises
    ------
    CheckError
        If they do not.
    """
    found = {}
    for name, pattern in PLACES.items():
        match = re.search(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE)
        if match is None:
            raise CheckError(f"{name} names no version")
        found[name] = match[1]
    told = ", ".join(f"{name} {version}" for name, version in found.items())
    check(len(set(found.values())) == 1, f"the versions differ, one is wanted: {told}")
    return found["pyproject.toml"]


def read_commit(root: Path) -> Commit:
    """Read version, tag and changes, and see that they agree.

    Raises
    ------
    CheckError
        If something is not committed, or they contradict each other.
    """
    changed = git(root, "status", "--porcelain").splitlines()
    check(
        not changed,
        f"{len(changed)} files are not as they were committed ({changed[0][3:] if changed else ''} "
        "among them): commit or remove them, a release is made of a commit",
    )
    version = read_version(root)
    tag = f"v{version}"
    here = [name for name in git(root, "tag", "--points-at", "HEAD").split() if name[0] == "v"]
    check(
        set(here) <= {tag},
        f"this commit has the tag {', '.join(here)} and the version {version}: "
        "one of them is wrong",
    )
    check(
        tag in here or tag not in git(root, "tag", "--list", "v*").split(),
        f"{tag} is another commit: give this one a new version in {', '.join(PLACES)}",
    )
    changes = _changes(root, version)
    check(
        not here or changes is not None,
        f"this commit has the tag {tag}, and CHANGELOG.md has no line "
        f"## [{version}] - YYYY-MM-DD: write it, commit it and tag that commit",
    )
    made_at = int(git(root, "log", "-1", "--format=%ct"))
    name = git(root, "rev-parse", "HEAD")
    return Commit(name, version, made_at, tag if here else None, changes)


def _changes(root: Path, version: str) -> str | None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.split(r"^(## \[.*)$", text, flags=re.MULTILINE)[1:]
    headings = sections[::2]
    wanted = [line for line in headings if line.startswith(f"## [{version}]")]
    if not wanted:
        return None
    [heading] = wanted[:1]
    check(
        re.fullmatch(r"## \[[^\]]+\] - \d{4}-\d\d-\d\d", heading) is not None,
        f"CHANGELOG.md has the line {heading!r}, one with a date is wanted: "
        f"## [{version}] - YYYY-MM-DD",
    )
    before = headings[: headings.index(heading)]
    check(
        all(line.startswith("## [Unreleased]") for line in before),
        f"CHANGELOG.md has {before[-1] if before else ''} above [{version}]: "
        "the newest comes first",
    )
    unreleased = [sections[2 * i + 1] for i in range(len(before))]
    check(
        not any(re.search(r"^- ", content, re.MULTILINE) for content in unreleased),
        f"CHANGELOG.md has changes under [Unreleased] although [{version}] is the version: "
        "move them",
    )
    return heading


def export(root: Path, folder: Path, name: str = "HEAD") -> None:
    """Lay the files of a commit into a new folder, with its time and plain rights."""
    done = subprocess.run(
        ["git", "-C", str(root), "archive", "--format=tar", name],
        check=True, capture_output=True,
    )  # fmt: skip
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def build(root: Path, out: Path, commit: Commit) -> list[Path]:
    """Build both distributions from an export.

    Parameters
    ----------
    root : Path
        The checkout.
    out : Path
        Where they are put; the folder is made.
    commit : Commit
        Which one.

    Returns
    -------
    list of Path
        Two wheels and two source archives, sorted.
    """
    os.environ["SOURCE_DATE_EPOCH"] = str(commit.made_at)
    with tempfile.TemporaryDirectory(prefix="edge-ser-release-") as name:
        source = Path(name) / "source"
        export(root, source, commit.name)
        for part in ("device", "workstation"):
            (Path(name) / part).mkdir()
        check_wheel.build(Path(name) / "device", source, BUILD_OPTIONS)
        check_wheel.check_workstation(Path(name) / "workstation", source, BUILD_OPTIONS)
        out.mkdir(parents=True, exist_ok=True)
        made = []
        for part in ("device", "workstation"):
            for path in sorted((Path(name) / part).glob("*.*")):
                if path.name.endswith(".tar.gz"):
                    settle(path, commit.made_at)
                if path.is_file():
                    made.append(Path(shutil.copy(path, out)))
    return sorted(made)


def settle(archive: Path, made_at: int) -> None:
    """Write a source archive anew, without what depends on the machine: owners, times, order."""
    with tarfile.open(archive) as old:
        members = sorted(old.getmembers(), key=lambda member: member.name)
        contents = {
            member.name: file.read() for member in members if (file := old.extractfile(member))
        }
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in members:
            entry = tarfile.TarInfo(member.name)
            entry.type, entry.linkname, entry.size = member.type, member.linkname, member.size
            entry.mtime = made_at
            entry.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            content = contents.get(member.name)
            new.addfile(entry, None if content is None else io.BytesIO(content))
    temporary = archive.with_suffix(".new")
    with (
        open(temporary, "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=made_at) as packed,
    ):
        packed.write(plain.getvalue())
    temporary.replace(archive)


def digests(paths: list[Path]) -> dict[str, str]:
    """Give the SHA-256 of files, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def steps(commit: Commit, made: list[Path], out: Path) -> list[str]:
    """Say what is left for a person to do."""
    todo = []
    if commit.changes is None:
        todo.append(
            f"In CHANGELOG.md make [Unreleased] the line ## [{commit.version}] - YYYY-MM-DD, "
            "and commit it."
        )
    if commit.tag is None:
        todo.append(
            f"Tag the commit, `git tag --sign v{commit.version} -m v{commit.version}`, run "
            "`make release` once more, and `git push --tags`."
        )
    names = " ".join(str(out / path.name) for path in made)
    todo += [
        f"See that {' and '.join(DISTRIBUTIONS)} are yours on the index you publish to: neither "
        "name was ever published, and anybody may have taken it.",
        f"`twine upload {names}`",
        "Once they are there, say so in README.md and docs/install.md, which send nobody to an "
        "index for them.",
    ]
    return todo


def main(argv: list[str] | None = None) -> int:
    """Build, check, and print what is left to do."""
    parser = argparse.ArgumentParser(description="Build and check a release; nothing is uploaded.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where it is put (dist)")
    args = parser.parse_args(argv)
    try:
        commit = read_commit(ROOT)
        with tempfile.TemporaryDirectory(prefix="edge-ser-again-") as name:
            first = build(ROOT, Path(name) / "first", commit)
            again = digests(build(ROOT, Path(name) / "again", commit))
            sums = digests(first)
            differing = sorted(file for file in sums if sums[file] != again.get(file))
            check(not differing, f"built twice, {', '.join(differing)} came out differently")
            print("built twice, the same byte for byte")
            told = check_wheel.run(
                sys.executable, "-m", "twine", "check", "--strict", *first, cwd=ROOT
            )
            print(told.strip())
            shutil.rmtree(args.out, ignore_errors=True)
            args.out.mkdir(parents=True)
            made = [Path(shutil.copy(path, args.out)) for path in first]
    except (CheckError, OSError, subprocess.CalledProcessError) as error:
        print(f"release: error: {error}", file=sys.stderr)
        return 2
    lines = "".join(f"{digest}  {file}\n" for file, digest in sorted(sums.items()))
    (args.out / "SHA256SUMS").write_text(lines, encoding="utf-8")
    print(f"\n{commit.version} is in {args.out}. To publish it, a person has to:")
    for number, step in enumerate(steps(commit, made, args.out), 1):
        print(f"{number}. {step}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
