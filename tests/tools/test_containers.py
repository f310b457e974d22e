"""The container's recipe, its health, and that it is built and heard where an engine is."""

from __future__ import annotations

import http.server
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from waiting import serving

from tools import make_addon
from tools.check_wheel import ROOT

FOLDER = ROOT / "packaging" / "container"
RECIPE = (FOLDER / "Containerfile").read_text(encoding="utf-8")


#: The kernel hands programs of arm64 to QEMU, in containers as well.
REGISTERED = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")

#: Debian with Python for arm64, as an image.
ARM64_BASE = os.environ.get("EDGE_SER_ARM64_BASE", "localhost/edge-ser-base:arm64")


def copied(recipe: str) -> set[str]:
    lines = re.findall(r"^COPY (?!--from)(.*)$", recipe, re.MULTILINE)
    return {word for line in lines for word in line.split()[:-1]}


@pytest.fixture(scope="module")
def health() -> ModuleType:
    spec = importlib.util.spec_from_file_location("container_health", FOLDER / "health.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page() -> Iterator[tuple[str, list[int]]]:
    status = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with serving(Handler) as address:
        yield f"{address}/healthz", status


def test_all_that_is_copied_is_there_and_not_ignored() -> None:
    let = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    for name in copied(RECIPE):
        assert (ROOT / name).exists(), name
        assert any(fnmatch(name.split("/")[0], each) for each in let), name
    assert copied(RECIPE) == set(make_addon.COPIED)


def test_it_is_pinned_and_runs_as_nobody_of_rank() -> None:
    assert re.search(r"^ARG BASE=\S+:3\.\d+-slim-\w+$", RECIPE, re.MULTILINE)
    users = re.findall(r"^USER (\S+)$", RECIPE, re.MULTILINE)
    assert users == ["990"]
    assert "--uid 990" in RECIPE
    assert "--groups audio" in RECIPE
    after = RECIPE.partition("\nUSER ")[2]
    assert 'ENTRYPOINT ["edge-ser"]' in after
    assert not re.search(r"^(RUN|COPY) ", after, re.MULTILINE)


def test_health_is_what_the_page_says(
    health: ModuleType, page: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, status = page
    monkeypatch.setenv("EDGE_SER_HEALTH", address)
    assert health.main() == 0
    status[0] = 503
    assert health.main() == 1


def test_health_without_a_page_is_that_of_the_process(
    health: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_SER_HEALTH", "http://127.0.0.1:1/healthz")
    assert health.main() == 1, "a page that was named has to answer"
    assert not health.is_listening(tmp_path)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "stat").write_text("1 (edge) Z (ser) S 0 1")
    assert health.is_listening(tmp_path)
    (tmp_path / "1" / "stat").write_text("1 (edge-ser) Z 0 1")
    assert not health.is_listening(tmp_path)


def test_the_linter_of_recipes_has_nothing_to_say() -> None:
    if shutil.which("hadolint") is None:
        pytest.skip("hadolint is not installed")
    subprocess.run(["hadolint", str(FOLDER / "Containerfile")], check=True)


@pytest.mark.parametrize(("engine", "has_format"), [("podman", True), ("docker", False)])
def test_podman_is_asked_for_the_format_that_holds_a_health_check(
    engine: str, has_format: bool
) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "container", f"ENGINE=/opt/bin/{engine}"],
        check=True, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert f"/opt/bin/{engine} build " in done.stdout
    assert ("--format docker " in done.stdout) == has_format


@pytest.fixture
def engine() -> str:
    """What builds and runs containers, if anything does."""
    found = [each for each in ("podman", "docker") if shutil.which(each)]
    for each in found:
        if subprocess.run([each, "info"], check=False, capture_output=True).returncode == 0:
            return each
    pytest.skip("neither podman nor docker answers")


def inspect(engine: str, image: str) -> dict[str, Any] | None:
    """What an engine tells of an image, if it is there; nothing is fetched by a test."""
    told = subprocess.run(
        [engine, "image", "inspect", image], check=False, capture_output=True, text=True
    )
    if told.returncode != 0:
        return None
    found: dict[str, Any] = json.loads(told.stdout)[0]
    return found


def see_that_it_starts(engine: str, base: str) -> None:
    """Pass over what an engine that builds and starts nothing cannot show."""
    command = [engine, "run", "--rm", "--entrypoint", "/bin/true", base]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        [*_, last] = done.stderr.splitlines() or ["it says nothing"]
        pytest.skip(f"{engine} starts no container on this machine: {last}")


def heard(engine: str, image: str) -> None:
    """See that an image is as it was meant, and that it listens."""
    found = inspect(engine, image)
    assert found is not None
    assert "health.py" in str(found.get("Healthcheck") or found["Config"].get("Healthcheck"))
    assert found["Config"]["User"] == "990"
    done = subprocess.run(
        [engine, "run", "--rm", image, "listen", "--source", "demo", "--fast", "--json"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    kinds = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert kinds.count("decision") >= 10
    assert kinds[-1] == "summary"


@pytest.mark.timeout(900)
def test_it_is_built_and_heard(engine: str) -> None:
    base = re.findall(r"^ARG BASE=(\S+)$", RECIPE, re.MULTILINE)[0]
    if inspect(engine, base) is None:
        pytest.skip(f"the image {base} is not on this machine: {engine} pull {base}")
    see_that_it_starts(engine, base)
    subprocess.run(["make", "container", f"ENGINE={engine}"], check=True, cwd=ROOT)
    heard(engine, "edge-ser")


@pytest.mark.timeout(3600)
def test_for_arm64_it_is_built_and_heard(engine: str) -> None:
    """On another machine under emulation, which takes minutes."""
    if platform.machine() != "aarch64" and not REGISTERED.exists():
        pytest.skip("this kernel runs no program of arm64: apt-get install qemu-user-static")
    base = inspect(engine, ARM64_BASE)
    if base is None or base["Architecture"] != "arm64":
        pytest.skip(f"no image for arm64 is called {ARM64_BASE}: docs/install.md says how to make")
    see_that_it_starts(engine, ARM64_BASE)
    tag = "edge-ser:arm64-tried"
    make = ["make", "container", f"ENGINE={engine}", "PLATFORM=linux/arm64", f"TAG={tag}"]
    make.append(f"ARGS=--build-arg BASE={ARM64_BASE}")
    subprocess.run(make, check=True, cwd=ROOT)
    built = inspect(engine, tag)
    assert built is not None
    assert built["Architecture"] == "arm64"
    heard(engine, tag)
