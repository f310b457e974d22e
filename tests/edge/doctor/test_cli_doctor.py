"""``edge-ser doctor`` as a person runs it, and what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from runtime_fakes import ENVIRONMENT, REPOSITORY
from system_fakes import fake_look

from edge.artifact import Artifact
from edge.cli import doctor
from edge.cli.main import main
from edge.doctor.archive import write_archive
from edge.doctor.examine import examine
from edge.doctor.finding import Finding, error, ok, warning
from edge.doctor.look import Look
from edge.doctor.registry import CHECKS, Row
from edge.errors import ParameterError
from edge.machine.programs import Ran

SCHEMA = json.loads((REPOSITORY / "docs" / "doctor.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
HOME = "/home"


def checked(text: str) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in text.splitlines()]
    for record in records:
        VALIDATOR.validate(record)
    assert [record["type"] for record in records[-2:]] == ["finding", "diagnosis"]
    return records


def staged(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> list[Look]:
    """Let the command find these, and give what it looked at."""
    looks: list[Look] = []

    def check(look: Look) -> list[Finding]:
        looks.append(look)
        return list(findings)

    rows = (Row("clock", "machine", check, "files"),)
    monkeypatch.setattr("edge.doctor.examine.examine.__defaults__", (rows, lambda row: None))
    return looks


def test_the_schema_knows_every_check() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    finding = SCHEMA["$defs"]["finding"]["properties"]
    assert set(finding["check"]["enum"]) == {row.name for row in CHECKS}
    assert set(finding["group"]["enum"]) == {row.group for row in CHECKS}


@pytest.mark.parametrize("change", [{"mend": None}, {"state": "bad"}, {"new": 1}, {"version": 2}])
def test_the_schema_refuses_what_is_no_record(change: dict[str, Any]) -> None:
    from edge.doctor.record import to_line

    finding = error("a", "b").to_dict() | {"check": "clock", "group": "machine"}
    record = json.loads(to_line("finding", finding))
    VALIDATOR.validate(record)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(record | change)


def test_the_document_names_every_check_and_key() -> None:
    text = (REPOSITORY / "docs" / "doctor.md").read_text(encoding="utf-8")
    words = {row.name for row in CHECKS} | {row.group for row in CHECKS}
    for kind in ("finding", "diagnosis"):
        words |= set(SCHEMA["$defs"][kind]["required"])
    assert {word for word in words if f"`{word}`" not in text} == set()


@pytest.mark.parametrize(
    ("finding", "code"), [(ok("a"), 0), (warning("a", "b"), 1), (error("a", "b"), 2)]
)
def test_the_exit_code_and_both_forms(
    finding: Finding, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    staged(monkeypatch, finding)
    assert main(["doctor"]) == code
    out = capsys.readouterr().out
    assert out.startswith(f"machine\n  {finding.state:<7}  clock          a\n")
    assert main(["doctor", "--json"]) == code
    told, summary = checked(capsys.readouterr().out)
    assert (told["state"], told["group"]) == (finding.state, "machine")
    assert summary["exit_code"] == code


def test_a_figure_that_is_no_number_is_null_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    staged(monkeypatch, ok("a", level=float("nan"), many=[1.0, {"x": float("inf")}]))
    assert main(["doctor", "--json"]) == 0
    told, _ = checked(capsys.readouterr().out)
    assert told["facts"] == {"level": None, "many": [1.0, {"x": None}]}


def test_what_is_waited_for_is_shown_to_who_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    staged(monkeypatch, ok("a"))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert main(["doctor"]) == 0
    err = capsys.readouterr().err
    assert "looking at clock ..." in err
    assert err.endswith("\r\x1b[K")


@pytest.mark.parametrize("name", ["report", "no/such/folder/report.zip", ".zip/"])
def test_an_archive_that_cannot_be_written_is_refused_before_any_work(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = staged(monkeypatch, ok("a"))
    assert main(["doctor", "--bundle", name]) == 2
    assert "a file that ends in .zip" in capsys.readouterr().err
    assert looks == []


def test_it_looks_at_what_listen_would_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = staged(monkeypatch, ok("a"))
    config = tmp_path / "config.toml"
    config.write_text('[listen]\ndevice = "USB Mic"\nartifact = "claf-ser-tiny"\n')
    assert main(["doctor", "--config", str(config), "--no-capture"]) == 0
    wishes = looks[-1].wishes
    assert (wishes.device, wishes.artifact, wishes.captures) == ("USB Mic", "claf-ser-tiny", False)
    assert list(wishes.configuration()) == [str(config)]
    assert main(["doctor", "--config", str(config), "--device", "Other"]) == 0
    assert looks[-1].wishes.device == "Other"
    config.write_text("[listen]\ndevise = 'x'\n")
    assert main(["doctor", "--config", str(config)]) == 0
    with pytest.raises(ParameterError, match="did you mean device"):
        looks[-1].wishes.configuration()


def test_the_file_that_listen_refuses_is_a_finding(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[listen]\nhop = 'soon'\n")
    args = main_args("--config", str(config))
    configuration = doctor._what_listen_takes(args).configuration
    assert configuration is not None
    with pytest.raises(ParameterError):
        configuration()


def test_the_file_of_the_voice_is_that_of_listen(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f"[listen]\nstate = '{tmp_path}/voice.json'\n")
    args = main_args("--config", str(config))
    assert doctor._what_listen_takes(args).state == f"{tmp_path}/voice.json"
    args = main_args("--config", str(config), "--artifact", "claf-ser")
    assert doctor._what_listen_takes(args).state is None


def main_args(*words: str) -> Any:
    from edge.cli.main import _parser

    return _parser().parse_args(["doctor", *words])


def test_the_archive_helps_and_names_nobody(tmp_path: Path) -> None:
    secrets = ["annaslaptop", "anna", "Muster", f"{HOME}/anna", "192.168.7.31", "AC:12:2F:50:3E:11",
               "AC_12_2F_50_3E_11", "10000000abcdef01", "deadbeefdeadbeefdeadbeefdeadbeef",
               "2001:db8::77", "Gertrud", "8B5C2F9F"]  # fmt: skip
    source = "alsa_input.usb-046d_Webcam_C920_8B5C2F9F-02.analog-stereo"
    files = {
        "/etc/hostname": "annaslaptop",
        "/etc/passwd": f"anna:x:1000:1000:Anna Muster,,,:{HOME}/anna:/bin/sh",
        "/etc/machine-id": "deadbeefdeadbeefdeadbeefdeadbeef",
        "/etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
        "/proc/cpuinfo": "model name : Cortex-A72\nSerial : 10000000abcdef01",
        "/proc/asound/cards": " 1 [C920 ]: USB-Audio - HD Pro Webcam C920",
        "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4",
    }
    environ = {
        "USER": "anna", "HOME": f"{HOME}/anna", "PULSE_SERVER": "tcp:192.168.7.31:4713",
        "SECRET_TOKEN": "do-not-tell", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    log = (
        f"ALSA lib pcm_dmix.c:1032:(snd_pcm_dmix_open) unable to open slave\n{source}\n"
        "anna@annaslaptop bluez_input.AC_12_2F_50_3E_11 AC:12:2F:50:3E:11 2001:db8::77\n"
        "machine-id deadbeefdeadbeefdeadbeefdeadbeef\nInvalid sample rate [PaErrorCode -9997]\n"
    )
    look = fake_look(tmp_path / "system", files, {"pactl": log}, environ=environ)
    look.run(["pactl", "info"], 1.0)
    look.outputs["sound_trial"] = log
    digest = "cfae413a00ac6a984819c7744a005578b54fd79799b0ce18e324b3bd8bf550a9"
    findings = [
        ok("Gertrud’s Headset opens at 48000 Hz", name="Gertrud’s Headset", model_sha256=digest),
        error(f"{HOME}/anna/models/tiny/model.npz has 100 bytes", f"scp -r W:F {HOME}/anna/models"),
    ]
    target = tmp_path / "report.zip"
    write_archive(target, look, findings, {"edge_ser": "0.1.0", "took_s": 1.0})
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    whole = "\n".join([*members, *members.values()])
    assert [secret for secret in [*secrets, "do-not-tell"] if secret.lower() in whole.lower()] == []
    for helpful in (
        "Raspberry Pi 4 Model B Rev 1.4", "Cortex-A72", "PaErrorCode -9997", "HD Pro Webcam C920",
        "046d_Webcam_C920_<serial-", "snd_pcm_dmix_open", "~/models/tiny/model.npz has 100 bytes",
        digest, "OMP_NUM_THREADS=1", "Debian GNU/Linux 12", "numpy ", "48000 Hz", ":4713",
        "== pactl info",
    ):  # fmt: skip
        assert helpful in whole, helpful
    assert not [name for name in members if name.endswith((".wav", ".raw"))]


def test_an_archive_that_the_disk_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "report.zip").mkdir()
    with pytest.raises(ParameterError, match="cannot be written"):
        write_archive(tmp_path / "report.zip", fake_look(tmp_path), [], {})


def test_a_raspberry_pi_with_many_faults(tmp_path: Path) -> None:
    """Each is found, each with its mend, on one staged machine, and within the time."""
    files = {
        "/dev/snd/pcmC1D0c": "", "/proc/meminfo": "MemAvailable: 40000 kB",
        "/proc/device-tree/model": "Raspberry Pi 3 Model B Rev 1.2",
    }  # fmt: skip
    trial = json.dumps({"step": "failed", "at": "import", "problem": "get libportaudio2"})
    programs = {
        "vcgencmd": "throttled=0x50005", "timedatectl": "NTPSynchronized=no",
        "edge.doctor.numpy_trial": Ran(-4), "edge.runtimes.trial": Ran(-4),
        "edge.doctor.sound_trial": trial,
    }  # fmt: skip
    look = fake_look(
        tmp_path, files, programs, pointer_bits=32, group_ids=frozenset({1000}),
        may_use=lambda path: False, now_s=lambda: 0.0,
    )  # fmt: skip
    found = {(each.check, each.state): each.mend for each in examine(look)}
    assert found["architecture", "warning"]
    assert found["numpy", "error"] == "pip install --force-reinstall --no-binary numpy numpy"
    assert found["rights", "error"].startswith('sudo usermod -aG audio "$USER"')
    assert found["portaudio", "error"] == "sudo apt-get install libportaudio2"
    assert found["clock", "error"] == found["time-service", "warning"]
    assert (
        found["throttling", "error"] == "use the board's own power supply and a short, thick cable"
    )
    assert ("memory", "error") in found


def run_doctor(*words: str, **changes: Any) -> tuple[subprocess.CompletedProcess[str], float]:
    started_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "edge_ser", "doctor", *words], capture_output=True, text=True,
        cwd=REPOSITORY, timeout=60, check=False, **changes,
    )  # fmt: skip
    return done, time.monotonic() - started_s


def test_the_whole_on_this_machine_with_a_cut_artifact(artifact: Artifact, tmp_path: Path) -> None:
    content = artifact.model_path.read_bytes()
    artifact.model_path.write_bytes(content[: len(content) // 2])
    archive = tmp_path / "report.zip"
    done, took_s = run_doctor(
        "--json", "--artifact", str(artifact.path), "--bundle", str(archive), "--no-capture"
    )
    records = checked(done.stdout)
    assert took_s < 15
    assert done.returncode == records[-1]["exit_code"] == 2
    assert {record["check"] for record in records[:-1]} == {row.name for row in CHECKS}
    (found,) = [each for each in records if each.get("check") == "artifact"]
    assert (found["state"], "truncated" in found["sentence"]) == ("error", True)
    assert found["mend"] == f"scp -r WORKSTATION:FOLDER/. {artifact.path}"
    assert "Traceback" not in done.stdout + done.stderr
    # PortAudio's and ALSA's own lines go to the archive alone.
    assert all(line.startswith("edge-ser: ") for line in done.stderr.splitlines())
    assert zipfile.is_zipfile(archive)


def test_a_broken_numpy_is_one_error_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    text = "libopenblas.so.0: cannot open shared object file: No such file or directory"
    (tmp_path / "numpy" / "__init__.py").write_text(f"raise ImportError({text!r})")
    environ = {**ENVIRONMENT, "PYTHONPATH": str(tmp_path)}
    done, _ = run_doctor("--json", "--no-capture", env=environ)
    records = checked(done.stdout)
    found = {record["check"]: record for record in records if record["type"] == "finding"}
    assert found["numpy"]["mend"] == "sudo apt-get install libopenblas0"
    assert {found[name]["state"] for name in ("artifact", "reference", "backend")} == {"skipped"}
    assert found["portaudio"]["state"] in ("ok", "error")
    assert "numpy" not in found["portaudio"]["sentence"].lower()
    assert set(found) == {row.name for row in CHECKS}
