"""An issue report names nobody, and still tells what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from system_fakes import fake_system

from edge.doctor.redactor import Redactor, redactor_of

# In pieces, so that no file of ours looks as if it named a machine.
HOME, ROOT = "/home", "/root"

SECRETS = Redactor(
    hosts=["annas-laptop", "annas-laptop.example.org"],
    users=["anna", "Anna", "Example"],
    homes=[f"{HOME}/anna", "/srv/people/anna"],
    serials=["10000000abcdef01"],
    kept=["0.3.31.188"],
)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"{HOME}/anna/models/tiny", "~/models/tiny"),
        ("/srv/people/anna", "~"),
        (f"{HOME}/bert/models", f"{HOME}/<user-1>/models"),
        ("/media/bert/stick", "/media/<user-1>/stick"),
        ("annas-laptop pulseaudio[12]", "<host-1> pulseaudio[12]"),
        ("ANNAS-LAPTOP.local", "<host-1>.local"),
        ("anna@annas-laptop:~$", "<user-1>@<host-1>:~$"),
        ("source.anna.mic", "source.<user-1>.mic"),
        ("Hannah is not anna", "Hannah is not <user-1>"),
        ("Host Name: den\nUser Name: ludwig", "Host Name: <host-1>\nUser Name: <user-1>"),
        ("tcp:192.168.1.20:4713", "tcp:<ip-1>:4713"),
        ("fe80::1ff:fe23:4567:890a is up", "<ip-1> is up"),
        ("2001:db8:1:2:3:4:5:6", "<ip-1>"),
        ("AC:12:2f:50:3E:11", "<mac-1>"),
        ("bluez_input.AC_12_2F_50_3E_11.0", "bluez_input.<mac-1>.0"),
        ("/org/bluez/hci0/dev_AC_12_2F_50_3E_11", "/org/bluez/hci0/dev_<mac-1>"),
        ("Serial\t\t: 10000000abcdef01", "Serial\t\t: <serial-1>"),
        ("Serial : 00000000deadbeef", "Serial : <serial-1>"),
        ("iSerial                 3 A1B2C3D4", "iSerial                 3 <serial-1>"),
        ("ID_SERIAL_SHORT=A1B2C3D4", "ID_SERIAL_SHORT=<serial-1>"),
        ("machine 0123456789abcdef0123456789abcdef", "machine <id-1>"),
        ("disk 01234567-89ab-cdef-0123-456789abcdef", "disk <uuid-1>"),
        ("write to bert@example.com", "write to <mail-1>"),
        ("alsa_input.usb-046d_HD_Pro_Webcam_C920_8B5C2F9F-02.analog-stereo",
         "alsa_input.usb-046d_HD_Pro_Webcam_C920_<serial-1>-02.analog-stereo"),
        ("alsa_input.usb-Blue_Microphones_Yeti_797_2019_11_22_55263-00.analog",
         "alsa_input.usb-Blue_Microphones_Yeti_<serial-1>-00.analog"),
    ],
)  # fmt: skip
def test_who_and_where_somebody_is_goes(text: str, redacted: str) -> None:
    fresh = Redactor(
        hosts=["annas-laptop"], users=["anna"], homes=[f"{HOME}/anna", "/srv/people/anna"],
        serials=["10000000abcdef01"],
    )  # fmt: skip
    assert fresh.text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "NumPy 2.4.6 with scipy-openblas 0.3.31.188",
        "SHA-256 cfae413a00ac6a984819c7744a005578b54fd79799b0ce18e324b3bd8bf550a9",
        "the clock shows 2026-11-27 04:13:22 UTC",
        "USB Mic: Audio (hw:1,0) opens at 48000 Hz, 2 channels; takes 16, 44.1, 48 kHz",
        "PortAudio V19.6.0-devel, revision 396fe4b6699ae929d3a685b3ef8a7e97396139a4",
        "Expression 'paInvalidSampleRate' failed in 'src/hostapi/alsa/pa_linux_alsa.c', line: 2048",
        "Error opening InputStream: Invalid sample rate [PaErrorCode -9997]",
        "alsa_input.usb-C-Media_Electronics_Inc._USB_PnP_Sound_Device-00.mono-fallback",
        "alsa_input.usb-046d_0825-00.mono-fallback",
        "unix:/run/user/1000/pulse/native and std::vector and ::1 and 127.0.0.1",
        "Raspberry Pi 4 Model B Rev 1.4",
        "sudo usermod -aG audio \"$USER\", then log out and in again",
        "throttled=0x50005",
    ],
)  # fmt: skip
def test_what_helps_to_find_the_fault_stays(text: str) -> None:
    assert SECRETS.text(text) == text


def test_one_name_has_one_mark_all_through() -> None:
    redactor = Redactor()
    text = redactor.text("10.0.0.1 asks 10.0.0.2, 10.0.0.2 answers 10.0.0.1")
    assert text == "<ip-1> asks <ip-2>, <ip-2> answers <ip-1>"


def test_names_that_tell_nothing_are_left() -> None:
    redactor = Redactor(hosts=["localhost"], users=["pi", "root", "audio"], homes=[ROOT, "/"])
    text = "sudo usermod -aG audio pi; pipewire on localhost; pin 7 of the Pi"
    assert redactor.text(text) == text
    assert redactor.text(f"{ROOT}/models /boot") == "~/models /boot"


def test_values_are_redacted_and_the_names_of_keys_are_not() -> None:
    redactor = Redactor(users=["name", "anna"])
    value = {
        "name": "anna's",
        "list": [f"{HOME}/anna", 3, None, True],
        "deep": {"anna thermal": 1.5},
    }
    assert redactor.value(value) == {
        "name": "<user-1>'s", "list": [f"{HOME}/<user-1>", 3, None, True],
        "deep": {"<user-1> thermal": 1.5},
    }  # fmt: skip


def test_a_device_named_after_somebody_is_not(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.learn_owners("Gertrud’s AirPods")
    redactor.learn_owners("the device's own name")
    assert redactor.text("Gertrud’s AirPods, gertrud") == "<name-1>’s AirPods, <name-1>"
    assert redactor.text("the device's") == "the device's"


def test_what_there_is_to_know_is_read_from_the_system(tmp_path: Path) -> None:
    files = {
        "/etc/hostname": "kitchen-pi.example.org\n",
        "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
        "family:x:1001:1001:Berta Muster,,,:/data/b:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
        "/proc/cpuinfo": "processor : 0\nSerial\t\t: 10000000abcdef01\n",
        "/sys/bus/usb/devices/1-1/serial": "REV8X77\n",
    }  # fmt: skip
    system = fake_system(tmp_path, files, environ={"USER": "caller", "HOME": "/elsewhere/caller"})
    text = redactor_of(system).text(
        "kitchen-pi family Berta Muster caller /data/b/x /elsewhere/caller/y REV8X77 abcdef01 "
        "10000000ABCDEF01 nobody root"
    )
    assert text == (
        "<host-1> <user-1> <user-2> <user-3> <user-4> ~/x ~/y <serial-1> abcdef01 <serial-2> "
        "nobody root"
    )
