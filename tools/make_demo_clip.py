"""Speak the bundled demo clip: a short dialogue of two synthetic voices.

espeak-ng says each line with its own pitch, range, rate and loudness; this
script trims, levels and joins the lines, resamples them to 16 kHz and lays a
faint room noise under everything. The result is the same, sample for sample,
for the same espeak-ng; ``dialogue.txt`` beside the clip says which one it was.

    python tools/make_demo_clip.py
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import os
import subprocess
import sys
import wave
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

SAMPLE_RATE = 16_000
LEAD_S, TAIL_S = 0.25, 0.5
SEED = 20
NOISE_DB = -66.0
PEAK = 0.89  # -1 dBFS
DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "edge" / "bundled" / "demo"


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of the dialogue and how it is spoken.

    Parameters
    ----------
    speaker, manner, text : str
        Who says it, in what spirit, and the words.
    pitch, pitch_range : str
        SSML prosody: relative to the voice.
    rate_wpm : int
        Words per minute.
    tilt_db : float
        Gain per octave above 500 Hz: a soft voice has a steeper spectrum.
    level_db : float
        RMS over the spoken part, in dBFS.
    pause_s : float
        Silence before the line.
    """

    speaker: str
    manner: str
    text: str
    pitch: str
    pitch_range: str
    rate_wpm: int
    tilt_db: float
    level_db: float
    pause_s: float


VOICES = {"Ada": "en-us+Annie", "Ben": "en-gb+m3"}

# Voices, pitch, range, rate, tilt and level were drawn at random within what fits the manner;
# of some dozens of draws a line, the one that two trained models heard best was kept. So the
# clip shows the road from sound to decision; it measures nothing.
DIALOGUE = (
    Line(
        *("Ben", "calm", "The tea is ready. Come and sit down with me."),
        *("-30%", "+130%", 155, -9.0, -26.0, 0.0),
    ),
    Line(
        *("Ada", "happy", "Oh, how lovely! You made my favourite cake!"),
        *("+85%", "+110%", 195, -9.0, -17.5, 0.4),
    ),
    Line(
        *("Ben", "sad", "Oh no. I have lost your letter."),
        *("-45%", "-60%", 130, 4.0, -25.0, 0.45),
    ),
    Line(
        *("Ada", "angry", "You lost it? Again? I told you twice, be careful!"),
        *("+95%", "+130%", 215, 2.0, -16.0, 0.35),
    ),
    Line(
        *("Ada", "surprised", "Oh! Look at the dog! He has the letter!"),
        *("+0%", "+110%", 205, -9.0, -17.0, 0.6),
    ),
)


def speak(line: Line) -> np.ndarray:
    """Say one line with espeak-ng.

    Parameters
    ----------
    line : Line
        What to say and how.

    Returns
    -------
    float64 [shape=(n_samples,)]
        The line at 16 kHz, trimmed, at its level.

    Raises
    ------
    RuntimeError
        If espeak-ng is missing or fails.
    """
    ssml = (
        f'<speak><prosody pitch="{line.pitch}" range="{line.pitch_range}">'
        f"{escape(line.text)}</prosody></speak>"
    )
    command = ["espeak-ng", "-m", "-v", VOICES[line.speaker], "-s", str(line.rate_wpm), "--stdout"]
    try:
        done = subprocess.run([*command, ssml], capture_output=True, check=True)
    except FileNotFoundError:
        raise RuntimeError("espeak-ng is missing: apt-get install espeak-ng") from None
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"espeak-ng failed: {error.stderr.decode().strip()}") from None
    with wave.open(io.BytesIO(done.stdout)) as reader:
        source_rate = reader.getframerate()
        raw = reader.readframes(reader.getnframes())
    samples = np.frombuffer(raw, "<i2") / 32768.0
    samples = trim(resample(samples, source_rate, line.tilt_db))
    return samples * (10 ** (line.level_db / 20) / np.sqrt(np.mean(samples**2)))


def resample(samples: np.ndarray, source_rate: int, tilt_db: float) -> np.ndarray:
    """Cut the spectrum to that of 16 kHz and tilt it: offline, so nothing need be causal."""
    n_out = round(len(samples) * SAMPLE_RATE / source_rate)
    spectrum = np.fft.rfft(samples)[: n_out // 2 + 1]
    hz = np.arange(len(spectrum)) * source_rate / len(samples)
    spectrum *= 10 ** (tilt_db * np.log2(np.maximum(hz, 500.0) / 500.0) / 20)
    return np.fft.irfft(spectrum, n_out) * (n_out / len(samples))


def trim(samples: np.ndarray, floor_db: float = -45.0, keep: int = 320) -> np.ndarray:
    """Cut what is quieter than the floor (against the peak) from both ends."""
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() * 10 ** (floor_db / 20))
    return samples[max(loud[0] - keep, 0) : loud[-1] + keep]


def build() -> tuple[np.ndarray, list[tuple[float, float, Line]]]:
    """Join the lines.

    Returns
    -------
    clip : int16 [shape=(n_samples,)]
        The dialogue at 16 kHz.
    script : list of (start_s, end_s, Line)
        Where each line lies in it.
    """
    parts, script = [np.zeros(round(LEAD_S * SAMPLE_RATE))], []
    position = len(parts[0])
    for line in DIALOGUE:
        pause, spoken = np.zeros(round(line.pause_s * SAMPLE_RATE)), speak(line)
        start = position + len(pause)
        position = start + len(spoken)
        parts += [pause, spoken]
        script.append((start / SAMPLE_RATE, position / SAMPLE_RATE, line))
    parts.append(np.zeros(round(TAIL_S * SAMPLE_RATE)))
    clip = np.concatenate(parts)
    # A room is never digitally silent, and a level of -inf dB is no fair first picture.
    clip += np.random.default_rng(SEED).normal(0.0, 10 ** (NOISE_DB / 20), len(clip))
    samples = np.round(limit(clip) * 32767)
    # The lowest four bits are room noise, which nothing can pack: 150 kB of the wheel.
    return (np.clip((samples + 8) // 16, -2048, 2047) * 16).astype("<i2"), script


def limit(clip: np.ndarray) -> np.ndarray:
    """Bend peaks above half of full scale smoothly below the ceiling."""
    knee = 0.5 * PEAK
    over = np.maximum(np.abs(clip) - knee, 0.0)
    bent = knee + (PEAK - knee) * np.tanh(over / (PEAK - knee))
    return np.where(np.abs(clip) > knee, np.sign(clip) * bent, clip)


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def main(argv: list[str] | None = None) -> int:
    """Write ``dialogue.wav`` and ``dialogue.txt``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where to write")
    folder: Path = parser.parse_args(argv).folder
    try:
        clip, script = build()
    except RuntimeError as error:
        print(f"make_demo_clip: error: {error}", file=sys.stderr)
        return 2
    version = subprocess.run(
        ["espeak-ng", "--version"], capture_output=True, check=True, text=True
    ).stdout.split("Data at")[0]
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as writer:
        writer.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        writer.writeframes(clip.tobytes())
    text = [
        "dialogue.wav: 16 kHz, mono, 16 bit. Words and sound are our own, under Apache-2.0.",
        "Spoken by a synthesiser: the manner is what the script asked for, not an emotion felt,",
        "and was chosen so that a trained model hears the changes: it shows, it does not measure.",
        f"Made by tools/make_demo_clip.py with {version.strip()}, NumPy {np.__version__}.",
        "",
        *(f"{a:6.2f} - {b:6.2f} s  {n.speaker}, {n.manner}: {n.text}" for a, b, n in script),
        "",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / "dialogue.wav", buffer.getvalue())
    replace(folder / "dialogue.txt", "\n".join(text).encode())
    print(f"{folder / 'dialogue.wav'}: {len(clip) / SAMPLE_RATE:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
