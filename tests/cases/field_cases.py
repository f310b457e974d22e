"""What users of such tools met in the field, made anew from a stretch of the bundled dialogue.

Every case is a file and the right answer to it.
"""

from __future__ import annotations

import dataclasses
import io
import struct
from collections.abc import Iterator

import numpy as np
from wav_bytes import GUID, RATE, chunk, fmt, int16, int24, packed24, riff

from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP

__all__ = ["NO_LABEL", "Case", "base", "cases"]

#: Nothing but the warning is asked for: the sound is not that of the clip any more.
NO_LABEL = float("inf")

_TELEPHONE = r"nothing above [34]\.\d kHz was heard"
_LOW_24 = "24 bits in the low three bytes of four"


@dataclasses.dataclass(frozen=True)
class Case:
    """A file and what is right to say about it.

    Parameters
    ----------
    name : str
        Of the file.
    content : bytes
    within : float
        How far the posterior may be from the clip's, whose label is wanted; 1: the label
        alone; :data:`NO_LABEL`: any.
    quiet : bool
        Nobody speaks.
    warning : str or None
        Pattern of the one warning; None: there is none.
    error : str or None
        Pattern of the sentence that refuses it.
    """

    name: str
    content: bytes
    within: float = 0.02
    quiet: bool = False
    warning: str | None = None
    error: str | None = None


def base() -> np.ndarray:
    """A stretch of the dialogue that is one emotion throughout, clearly and loud enough."""
    samples, _ = read_audio(DEMO_CLIP)
    return samples[40_000:76_000].astype(np.float64)


def at_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """Ideal copy at another rate: the spectrum is cut or filled with nothing."""
    n_padded = (samples.size // RATE + 3) * RATE
    padded = np.zeros(n_padded)
    padded[RATE : RATE + samples.size] = samples
    spectrum = np.fft.rfft(padded)
    n_out = n_padded * rate // RATE
    wide = np.zeros(n_out // 2 + 1, complex)
    n_lines = min(wide.size, spectrum.size)
    wide[:n_lines] = spectrum[:n_lines]
    copy = np.fft.irfft(wide, n_out) * (n_out / n_padded)
    return copy[rate : rate + -(-samples.size * rate // RATE)]


def cases() -> list[Case]:
    """Every case, each with a name of its own."""
    voice = base()
    found: list[Case] = []
    for group in (
        _formats, _mistakes, _alignments, _lengths, _chunks, _channels, _levels, _rates,
        _containers,
    ):  # fmt: skip
        found += group(voice)
    found += _by_soundfile(voice)
    assert len({case.name for case in found}) == len(found)
    return found


def _formats(voice: np.ndarray) -> Iterator[Case]:
    extensible = struct.pack("<HHI", 22, 24, 4) + b"\x01\0" + GUID
    low = int24(voice)
    yield Case("base.wav", riff(fmt(), chunk(b"data", int16(voice))))
    old, new = fmt(n_bits=24, block=4), fmt(n_bits=32)
    unsigned = (low & 0xFFFFFF).astype("<u4").tobytes()
    yield Case("s24le_old_arecord.wav", riff(old, chunk(b"data", unsigned)), warning=_LOW_24)
    yield Case("s24le_old_signed.wav", riff(old, chunk(b"data", low.tobytes())), warning=_LOW_24)
    yield Case("s24le_new_arecord.wav", riff(new, chunk(b"data", low.tobytes())), warning=_LOW_24)
    two = np.repeat(low, 2).astype("<i4").tobytes()
    yield Case(
        "s24le_new_stereo.wav",
        riff(fmt(n_channels=2, n_bits=32), chunk(b"data", two)),
        warning=_LOW_24,
    )
    high = (low << 8).astype("<i4").tobytes()
    yield Case(
        "ext24in32.wav", riff(fmt(0xFFFE, n_bits=32, extra=extensible), chunk(b"data", high))
    )
    yield Case("s24_high_block4.wav", riff(old, chunk(b"data", high)))
    yield Case("s32.wav", riff(new, chunk(b"data", (voice * 2**31).astype("<i4").tobytes())))
    yield Case("s24_3le.wav", riff(fmt(n_bits=24), chunk(b"data", packed24(voice))))
    # 20 bits in three bytes, left-aligned.
    twenty = (low & ~0xF).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    yield Case("s20_3le.wav", riff(fmt(n_bits=20), chunk(b"data", twenty)))
    longer = struct.pack("<HHI", 26, 16, 4) + b"\x01\0" + GUID + b"\1\2\3\4"
    yield Case("ext_long.wav", riff(fmt(0xFFFE, extra=longer), chunk(b"data", int16(voice))))
    floats = struct.pack("<HHI", 22, 32, 4) + b"\x03\0" + GUID
    f32 = voice.astype("<f4").tobytes()
    yield Case("ext_f32.wav", riff(fmt(0xFFFE, n_bits=32, extra=floats), chunk(b"data", f32)))
    yield Case("f32.wav", riff(fmt(3, n_bits=32), chunk(b"data", f32)))
    yield Case("f64.wav", riff(fmt(3, n_bits=64), chunk(b"data", voice.astype("<f8").tobytes())))
    # Rounding to 8 bits is noise at -59 dBFS, which a model that hears levels of a quiet
    # upper band cannot but hear; the label stays.
    eight = np.round(voice * 127 + 128).astype(np.uint8).tobytes()
    yield Case("u8.wav", riff(fmt(n_bits=8), chunk(b"data", eight)), within=1.0)


def _mistakes(voice: np.ndarray) -> Iterator[Case]:
    pcm = chunk(b"data", int16(voice))
    f32 = voice.astype("<f4")
    for value in (np.nan, np.inf, -np.inf):
        broken = f32.copy()
        broken[1000] = value
        yield Case(
            f"f32_{value}.wav",
            riff(fmt(3, n_bits=32), chunk(b"data", broken.tobytes())),
            error=r"holds -?(nan|inf) at 0\.06",
        )
    yield Case(
        "ext_short.wav",
        riff(fmt(0xFFFE, extra=struct.pack("<H", 0)), pcm),
        error="extensible fmt chunk has 18 bytes, at least 40 are wanted",
    )
    yield Case(
        "f16.wav",
        riff(fmt(3), chunk(b"data", voice.astype("<f2").tobytes())),
        error="float samples of 16 bits, 32 or 64 are wanted",
    )
    for n_bits in (16, 24):
        scaled = (voice * 2 ** (n_bits - 1)).astype("<f4").tobytes()
        yield Case(
            f"f32_int{n_bits}scale.wav",
            riff(fmt(3, n_bits=32), chunk(b"data", scaled)),
            error=r"float samples up to \S+, values within -1 and 1 are wanted",
        )
    yield Case(
        "i32_as_float_tag.wav",
        riff(fmt(n_bits=32), chunk(b"data", f32.tobytes())),
        error="whole numbers of 32 bits and holds floats",
    )
    whole = np.round(voice * 2**31).astype("<i4").tobytes()
    yield Case(
        "f32_of_int32.wav",
        riff(fmt(3, n_bits=32), chunk(b"data", whole)),
        error="finite samples are wanted|values within -1 and 1|written as whole numbers",
    )
    yield Case("s64.wav", riff(fmt(n_bits=64), pcm), error="integer samples of 64 bits")
    yield Case("rate_63.wav", riff(fmt(rate=63), pcm), error="a sample rate of 63 Hz")
    yield Case("channels_0.wav", riff(fmt(n_channels=0), pcm), error="0 channels, 1 to")
    yield Case("data_first.wav", riff(pcm, fmt()), error="data chunk comes before a fmt chunk")
    yield Case("head_only.wav", riff(fmt()), error=r"end before the samples \(no data chunk\)")
    yield Case("no_samples.wav", riff(fmt(), chunk(b"data", b"")), error="holds no samples")
    yield Case("empty.wav", b"", error="is empty")
    yield Case("text.wav", b"RIFE is no word\n" * 8, error="is not audio: it is a text file")
    yield Case("one_sample.wav", riff(fmt(), chunk(b"data", b"\1\0")), error="wanted")


def _alignments(voice: np.ndarray) -> Iterator[Case]:
    pcm = chunk(b"data", int16(voice))
    for block in (0, 1, 3, 4, 65_535):
        yield Case(
            f"blockalign{block}.wav",
            riff(fmt(block=block), pcm),
            warning=f"1 channel of 16 bits take {block} byte",
        )
    for byte_rate in (0, 64_000, 2**32 - 1):
        yield Case(
            f"byterate_{byte_rate}.wav",
            riff(fmt(byte_rate=byte_rate), pcm),
            warning=f"a second takes {byte_rate} bytes, 32000 were taken",
        )


def _lengths(voice: np.ndarray) -> Iterator[Case]:
    pcm = int16(voice)
    whole = riff(fmt(), chunk(b"data", pcm))
    sizes = (0xFFFFFFFF, 0, 0x7FFFFFFF, 0x7FFFF000, 0x80000000 - 0x24, 0x80000000, 0xFFFFFFFF - 36)
    for size in sizes:
        yield Case(f"size_{size:08x}.wav", riff(fmt(), chunk(b"data", pcm, size), size=35))
    yield Case(
        "size_zero_junk4k.wav",
        riff(chunk(b"JUNK", bytes(4044)), fmt(), chunk(b"data", pcm, 0), size=4088),
    )
    lavf = chunk(b"LIST", b"INFOISFT\x0e\0\0\0Lavf59.27.100\0")
    yield Case(
        "ffmpeg_stream.wav", riff(fmt(), lavf, chunk(b"data", pcm, 2**32 - 1), size=2**32 - 1)
    )
    yield Case(
        "sox24_stream.wav",
        riff(fmt(n_bits=24), chunk(b"data", packed24(voice), 0x7FFFF000), size=0x7FFFF024),
    )
    for extra in (1, 2, 16, 44, 2_000_000_000 - len(pcm)):
        yield Case(
            f"size_off_by_{extra}.wav",
            riff(fmt(), chunk(b"data", pcm, len(pcm) + extra)),
            warning=rf"\({extra} bytes? (is|are) missing\): it was cut off, or its length is wrong",
        )
    yield Case("cut_odd.wav", whole[:-1], warning=r"\(1 byte is missing\)")
    # What is there is judged: the end of the clip is another second than all of it.
    n_cut = 44 + int(0.92 * len(pcm)) // 2 * 2
    yield Case("cut92.wav", whole[:n_cut], within=1.0, warning=rf"\({len(whole) - n_cut} bytes are")
    second = chunk(b"data", pcm[:32_000])
    follows = r"\d\.\d s of sound follow unheard, {}".format
    behind = follows("behind the length that its header gives")
    glued = follows("in another file or chunk that was put behind it")
    yield Case(
        "size_wrapped_small.wav",
        riff(fmt(), chunk(b"data", pcm, 32_000)),
        within=NO_LABEL,
        warning=behind,
    )
    yield Case("cat2.wav", whole * 2, warning=glued)
    yield Case("cat3.wav", whole * 3, warning=glued)
    yield Case("two_data.wav", riff(fmt(), chunk(b"data", pcm), second), warning=glued)


def _chunks(voice: np.ndarray) -> Iterator[Case]:
    pcm = chunk(b"data", int16(voice))
    info = b"INFOISFT\x0e\0\0\0Lavf59.27.100\0"
    yield Case("list_before.wav", riff(fmt(), chunk(b"LIST", info), pcm))
    yield Case("list_after.wav", riff(fmt(), pcm, chunk(b"LIST", info)))
    odd = b"INFOIART\x03\0\0\0ab\0"
    yield Case("odd_list_nopad.wav", riff(fmt(), chunk(b"LIST", odd, pad=False), pcm))
    yield Case("odd_list_padded.wav", riff(fmt(), chunk(b"LIST", odd), pcm))
    yield Case("bext_before_fmt.wav", riff(chunk(b"bext", b"x" * 602 + bytes(256)), fmt(), pcm))
    yield Case(
        "junk_fllr.wav",
        riff(chunk(b"JUNK", bytes(28)), fmt(), chunk(b"FLLR", bytes(4008)), pcm),
    )
    yield Case("id3_after.wav", riff(fmt(), pcm, chunk(b"id3 ", b"ID3\3\0\0\0\0\0\0")))
    yield Case("fact.wav", riff(fmt(), chunk(b"fact", struct.pack("<I", voice.size)), pcm))
    # Padding up to a whole sector, as card recorders leave it.
    yield Case("zeros_after.wav", riff(fmt(), pcm) + bytes(4096))
    n_data = len(pcm) - 8
    for form in (b"RF64", b"BW64"):
        ds64 = chunk(b"ds64", struct.pack("<QQQI", n_data + 72, n_data, voice.size, 0))
        data = chunk(b"data", pcm[8:], 2**32 - 1)
        name = f"{form.decode().lower()}.wav"
        yield Case(name, riff(ds64, fmt(), data, size=2**32 - 1, form=form))


def _channels(voice: np.ndarray) -> Iterator[Case]:
    def file(*channels: np.ndarray) -> bytes:
        return riff(fmt(n_channels=len(channels)), chunk(b"data", int16(*channels)))

    nothing = np.zeros_like(voice)
    yield Case("stereo_same.wav", file(voice, voice))
    upside_down = "turned upside down, as of a cable that is wired the wrong way"
    yield Case("stereo_inverted.wav", file(voice, -voice), warning=upside_down)
    yield Case("stereo_inverted_softer.wav", file(voice, -0.7 * voice), warning=upside_down)
    yield Case("stereo_inverted_offset.wav", file(voice, 0.02 - voice), warning=upside_down)
    yield Case("ch4_inverted.wav", file(voice, -voice, voice, -voice), warning=upside_down)
    yield Case("stereo_dead_right.wav", file(voice, nothing))
    yield Case("stereo_dead_left.wav", file(nothing, voice))
    yield Case("stereo_offset_left.wav", file(nothing + 0.3, voice))
    noise = np.random.default_rng(1).normal(0, 0.003, voice.size)
    yield Case("stereo_noise_left.wav", file(noise, voice))
    yield Case("stereo_delay1ms.wav", file(voice, np.roll(voice, 16)), within=0.1)
    yield Case("stereo_half_period.wav", file(voice, np.roll(voice, 60)), within=0.1)
    yield Case("ch6_respeaker.wav", file(*[voice] * 4, nothing, nothing))
    yield Case("ch6_voice_last.wav", file(*[nothing] * 5, voice))


def _levels(voice: np.ndarray) -> Iterator[Case]:
    def file(samples: np.ndarray) -> bytes:
        return riff(fmt(), chunk(b"data", int16(samples)))

    for offset in (0.005, 0.02, -0.02, 0.1):
        yield Case(f"dc_{offset}.wav", file(voice + offset), within=0.1)
    silence = np.zeros(3 * RATE)
    noise = np.random.default_rng(0).normal(0, 10 ** (-66 / 20), silence.size)
    for name, samples in {
        "silence": silence,
        "silence_dc_0.01_dead": silence + 0.01,
        "room_noise": noise,
        "silence_dc_0.001": noise + 0.001,
        "silence_dc_0.01": noise + 0.01,
        "silence_dc_-0.05": noise - 0.05,
        "silence_lsb": np.sign(noise) / 32768,
        "silence_short": silence[:8000],
    }.items():
        yield Case(f"{name}.wav", file(samples), quiet=True)
    yield Case(
        "silence_stereo_inverted.wav",
        riff(fmt(n_channels=2), chunk(b"data", int16(noise, -noise))),
        quiet=True,
        warning="turned upside down",
    )
    yield Case(
        "silence_f32.wav", riff(fmt(3, n_bits=32), chunk(b"data", bytes(12 * RATE))), quiet=True
    )
    # Level and the first cepstral coefficient are features of today's models, so that a
    # softer copy has another posterior; its label is the same.
    for gain_db in (-20, -10, -6, 3):
        yield Case(f"gain{gain_db:+d}.wav", file(voice * 10 ** (gain_db / 20)), within=1.0)
    for gain_db in (20, 30):
        yield Case(
            f"gain{gain_db:+d}.wav",
            file(voice * 10 ** (gain_db / 20)),
            within=NO_LABEL,
            warning=r"the sound clips, \d+\.\d % of it lies at full scale",
        )
    loud = (voice * 10).astype("<f4").tobytes()
    yield Case(
        "gain+20_f32.wav",
        riff(fmt(3, n_bits=32), chunk(b"data", loud)),
        within=NO_LABEL,
        warning="the sound clips",
    )


def _rates(voice: np.ndarray) -> Iterator[Case]:
    def file(rate: int) -> bytes:
        return riff(fmt(rate=rate), chunk(b"data", int16(at_rate(voice, rate))))

    for rate in (22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000):
        yield Case(f"rate{rate}.wav", file(rate))
    for rate, band in (
        (2_000, r"1\.0"),
        (4_000, r"2\.0"),
        (6_000, r"3\.\d"),
        (8_000, r"[34]\.\d"),
        (11_025, r"5\.\d"),
        (12_000, r"[56]\.\d"),
    ):
        yield Case(
            f"rate{rate}.wav",
            file(rate),
            within=NO_LABEL,
            warning=f"nothing above {band} kHz (was heard|is in a recording)",
        )
    # Too short to be heard, the rate itself tells.
    for rate in (8_000, 11_025):
        short = at_rate(voice, rate)[: round(0.6 * rate)]
        yield Case(
            f"rate{rate}_short.wav",
            riff(fmt(rate=rate), chunk(b"data", int16(short))),
            within=NO_LABEL,
            warning=f"is in a recording of {rate} Hz",
        )
    # Resampled from there, it lacks as much.
    back = at_rate(at_rate(voice, 8_000)[: voice.size // 2], RATE * 2)[: voice.size]
    yield Case(
        "rate8000to16000.wav",
        riff(fmt(), chunk(b"data", int16(back))),
        within=NO_LABEL,
        warning=_TELEPHONE,
    )


def _containers(voice: np.ndarray) -> Iterator[Case]:
    """Kinds that nothing here reads: their first bytes are enough to name them."""
    rest = int16(voice[:2000])
    for kind, head, said in (
        ("m4a", b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom", "MP4 or M4A"),
        ("mp4", b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2", "MP4 or M4A"),
        ("3gp", b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4", "3GP"),
        ("webm", b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01", "WebM or Matroska"),
        ("mkv", b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x23", "WebM or Matroska"),
        ("aac", b"\xff\xf1\x50\x80\x2e\x7f\xfc", "AAC"),
        ("wma", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "Windows Media Audio"),
        ("amr", b"#!AMR\n<\x91\x17\x16\xbe\x66", "AMR"),
        ("awb", b"#!AMR-WB\n\x04", "AMR"),
        ("ape", b"MAC \x96\x0f\0\0", "Monkey's Audio"),
        ("wv", b"wvpk\x20\0\0\0\x10\x04", "WavPack"),
        ("ac3", b"\x0b\x77\x5e\x2c\x1c\x40", "AC-3"),
    ):
        for name in (f"phone.{kind}", f"phone {kind}'s named.wav"):
            yield Case(
                name, head + rest, error=f"is {said}, which cannot be read here; .*`ffmpeg -i "
            )
    for tag, codec in ((0x0161, "Windows Media Audio"), (0x00FF, "AAC"), (0x7777, "an unknown")):
        yield Case(
            f"coded {tag:04x}.wav",
            riff(fmt(tag), chunk(b"data", rest)),
            error=f"(is coded as {codec}|cannot be decoded).*`ffmpeg -i ",
        )


def _by_soundfile(voice: np.ndarray) -> list[Case]:
    """Kinds that soundfile reads, made by it; none where it is not installed."""
    try:
        import soundfile
    except (ImportError, OSError):
        return []
    kinds = soundfile.available_formats()

    def file(kind: str, coding: str, rate: int = RATE) -> bytes:
        samples = at_rate(voice, rate) if rate != RATE else voice
        target = io.BytesIO()
        soundfile.write(target, samples, rate, format=kind, subtype=coding)
        return target.getvalue()

    found = []
    for kind, coding, suffix, within in (
        ("AU", "PCM_16", "au", 0.02),
        ("AIFF", "PCM_16", "aiff", 0.02),
        ("W64", "PCM_16", "w64", 0.02),
        ("CAF", "PCM_16", "caf", 0.02),
        ("FLAC", "PCM_16", "flac", 0.02),
        ("FLAC", "PCM_24", "24.flac", 0.02),
        ("RF64", "PCM_16", "rf64", 0.02),
        ("OGG", "VORBIS", "ogg", 1.0),
        ("OGG", "OPUS", "opus", 1.0),
        ("MP3", "MPEG_LAYER_III", "mp3", 1.0),
    ):
        if kind not in kinds or coding not in soundfile.available_subtypes(kind):
            continue
        content = file(kind, coding)
        # A lossy codec takes from the upper band what it likes: told or not, the label stays.
        warning = None if within < 1 else "|nothing above"
        for name in (f"phone.{suffix}", f"{suffix}_named.wav"):
            found.append(Case(name, content, within, warning=warning))
    for coding, name in (
        ("ALAW", "alaw"), ("ULAW", "ulaw"), ("IMA_ADPCM", "ima"), ("MS_ADPCM", "ms"),
        ("GSM610", "gsm"),
    ):  # fmt: skip
        if coding in soundfile.available_subtypes("WAV"):
            content = file("WAV", coding, 8_000)
            found.append(Case(f"{name}.wav", content, NO_LABEL, warning=_TELEPHONE))
    if "G721_32" in soundfile.available_subtypes("AU"):
        found.append(Case("g721.au", file("AU", "G721_32", 8_000), NO_LABEL, warning=_TELEPHONE))
    return found
