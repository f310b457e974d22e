"""Debian for another processor in a folder: unpacked, not booted, and what is installed into it.

`debootstrap --foreign` resolves and fetches (it alone wants to be root); everything after it
unpacks on this machine, at its own speed.  Nothing is configured and nothing is mounted: QEMU is
told where the folder is, and looks there first for every absolute path, `/proc/cpuinfo` among them.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from edge.errors import EdgeSerError

__all__ = [
    "ARM64",
    "ARMV7",
    "PACKAGES",
    "Root",
    "Tree",
    "build_root",
    "build_wheel",
    "versions_of",
]

_MIRROR = "http://deb.debian.org/debian"
_SUITE = "bookworm"

#: Wheels of the folders below ``opt``: what a board of today installs, and the older sibling of
#: LiteRT, which wants the NumPy of its time.
PACKAGES = {
    "today": ("numpy==2.4.6", "onnxruntime==1.32.0", "ai-edge-litert==2.3.0", "sounddevice"),
    "older": ("numpy==1.26.4", "tflite-runtime==2.14.0", "sounddevice"),
}

_PLATFORMS = (
    "manylinux2014",
    "manylinux_2_17",
    "manylinux_2_27",
    "manylinux_2_28",
    "manylinux_2_34",
)

#: What of them a runtime is.
_RUNTIME_PACKAGES = {
    "numpy": ("numpy",),
    "onnx": ("numpy", "onnxruntime"),
    "tflite": ("numpy", "ai-edge-litert", "tflite-runtime"),
}

#: Where Debian's own packages of Python lie.
_DIST_PACKAGES = "usr/lib/python3/dist-packages"


@dataclasses.dataclass(frozen=True, slots=True)
class Tree:
    """What a folder is made of.

    Parameters
    ----------
    name : str
        Of the folder, and of the architecture in the results.
    debian : str
        What Debian calls the architecture.
    qemu : str
        What QEMU calls it.
    include : tuple of str
        Debian packages.
    mark_call : int
        Number of the system call ``getpriority``.
    """

    name: str
    debian: str
    qemu: str
    include: tuple[str, ...]
    mark_call: int


ARM64 = Tree("arm64", "arm64", "aarch64", ("python3", "libportaudio2", "libgomp1"), 141)
ARMV7 = Tree("armv7", "armhf", "arm", ("python3", "python3-numpy", "python3-cffi-backend"), 96)


@dataclasses.dataclass(frozen=True, slots=True)
class Root:
    """A folder that QEMU runs programs from.

    Parameters
    ----------
    tree : Tree
    folder : Path
        Absolute.
    """

    tree: Tree
    folder: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "usr/bin/python3"

    def python_path(self, packages: str) -> str:
        """Where its Python finds edge-ser and the packages of :data:`PACKAGES`.

        Parameters
        ----------
        packages : str
            A key of it; armv7 has Debian's own instead.
        """
        has_wheels = self.tree is ARM64
        found = self.folder / (f"opt/{packages}" if has_wheels else _DIST_PACKAGES)
        return os.pathsep.join((str(self.folder / "opt/edge-ser"), str(found)))

    def take_wheel(self, wheel: Path) -> None:
        """Install a wheel of pure Python, and it alone."""
        target = self.folder / "opt/edge-ser"
        shutil.rmtree(target, ignore_errors=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)

    def be(self, cpu_part: int) -> None:
        """Show programs a board's four cores, where the host's would mislead them.

        onnxruntime ends with a segmentation fault where it reads of an x86 processor.

        Parameters
        ----------
        cpu_part : int
            As ``/proc/cpuinfo`` has it of a core by Arm.
        """
        cores = "".join(
            f"processor\t: {index}\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\n"
            f"CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n"
            f"CPU part\t: {cpu_part:#x}\nCPU revision\t: 3\n\n"
            for index in range(4)
        )
        self._write("proc/cpuinfo", cores)
        for name in ("present", "possible", "online"):
            self._write(f"sys/devices/system/cpu/{name}", "0-3\n")

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def build_root(tree: Tree, work: Path, python: str = sys.executable) -> Root:
    """Make a folder, or take the one that is whole already.

    Parameters
    ----------
    tree : Tree
    work : Path
        Where the folder comes.
    python : str
        With the pip that fetches.

    Returns
    -------
    Root

    Raises
    ------
    EdgeSerError
        If a program is missing or fails; the sentence says which.
    """
    root = Root(tree, (work / tree.name).resolve())
    stamp = root.folder / ".whole"
    wanted = repr((tree, PACKAGES, _SUITE))
    if stamp.is_file() and stamp.read_text() == wanted:
        return root
    if shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
        raise EdgeSerError(
            "debootstrap is not installed, which fetches Debian for another processor: "
            "apt-get install debootstrap"
        )
    if os.geteuid() != 0:
        raise EdgeSerError(
            "debootstrap wants to be root: run this as root once, and chown -R "
            f"{root.folder.parent} to whoever goes on"
        )
    shutil.rmtree(root.folder, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    print(f"fetching Debian {_SUITE} for {tree.debian} ...", file=sys.stderr)
    include = f"--include={','.join(tree.include)}"
    _run(
        "debootstrap", f"--arch={tree.debian}", "--variant=minbase", include, "--foreign",
        _SUITE, root.folder, _MIRROR,
    )  # fmt: skip
    packages = sorted((root.folder / "var/cache/apt/archives").glob("*.deb"))
    for package in packages:
        _run("dpkg-deb", "--extract", package, root.folder)
        package.unlink()
    _choose_libraries(root.folder)
    if tree is ARM64:
        for name, wheels in PACKAGES.items():
            _install(python, root.folder / "opt" / name, wheels)
    stamp.write_text(wanted)
    return root


def versions_of(packages: str, runtime: str) -> dict[str, str]:
    """Versions of what answers, of a runtime that was ended before it could say them.

    Parameters
    ----------
    packages : str
        A key of :data:`PACKAGES`.
    runtime : {"numpy", "onnx", "tflite"}

    Returns
    -------
    dict
        Names as Python imports them.
    """
    wheels = dict(wheel.split("==") for wheel in PACKAGES[packages] if "==" in wheel)
    names = [name for name in _RUNTIME_PACKAGES[runtime] if name in wheels]
    return {name.replace("-", "_"): wheels[name] for name in names}


def _choose_libraries(folder: Path) -> None:
    """What Debian's alternatives would link when they are configured: BLAS and LAPACK."""
    for library in folder.glob("usr/lib/*/*/lib*.so.3"):
        if library.parent.name in ("blas", "lapack"):
            link = library.parent.parent / library.name
            if not link.exists():
                link.symlink_to(f"{library.parent.name}/{library.name}")


def _install(python: str, target: Path, wheels: Sequence[str]) -> None:
    print(f"fetching {', '.join(wheels)} ...", file=sys.stderr)
    platforms = [f"--platform={name}_aarch64" for name in _PLATFORMS]
    _run(
        python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
        "--target", target, "--only-binary=:all:", "--implementation=cp", "--python-version=3.11",
        *platforms, *wheels,
    )  # fmt: skip


def build_wheel(checkout: Path, folder: Path, python: str = sys.executable) -> Path:
    """Build the device's wheel of a checkout into a folder, which holds nothing else then.

    Raises
    ------
    EdgeSerError
        If it cannot be built.
    """
    shutil.rmtree(folder, ignore_errors=True)
    _run(python, "-m", "build", "--outdir", folder, checkout)
    [wheel] = folder.glob("*.whl")
    return wheel


def _run(*command: str | Path) -> None:
    # A checkout on PYTHONPATH would be taken for what is installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{environment.get('PATH', '')}:/usr/sbin:/sbin"
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise EdgeSerError(f"{' '.join(words[:4])} ... ended with {done.returncode}: {said}")
