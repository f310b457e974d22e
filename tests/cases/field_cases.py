"""What users of such tools met in the field, made anew from a stretch of the bundled dialogue.

Every case is a file and the right answer to it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from field_case import LOW_24, NO_LABEL, Case, base
from field_containers import by_soundfile, containers, rates
from wav_bytes import GUID, RATE, chunk, fmt, int16, int24, packed24, riff

__all__ = ["cases"]


def cases() -> list[Case]:
    """Every case, each with a name of its own."""
    voice = base()
    found: list[Case] = []
    for group in (
        _formats, _mistakes, _alignments, _lengths, _chunks, _channels, _levels, rates,
        containers,
    ):  # fmt: skip
        found += group(voice)
    found += by_soundfile(voice)
    assert len({case.name for case in found}) == len(found)
    return found


def _formats(voice: np.ndarray) -> Iterator[Case]:
    extensible = struct.pack("<HHI", 22, 24, 4) + b"\x01\0" + GUID
    low = int24(voice)
    yield Case("base.wav", riff(fmt(), chunk(b"data", int16(voice))))
    old, new = fmt(n_bits=24, block=4), fmt(n_bits=32)
    unsigned = (low & 0xFFFFFF).astype("<u4").tobytes()
    yield Case("s24le_old_arecord.wav", riff(old, chunk(b"data", unsigned)), warning=LOW_24)
    yield Case("s24le_old_signed.wav", riff(old, chunk(b"data", low.tobytes())), warning=LOW_24)
    yield Case("s24le_new_arecord.wav", riff(new, chunk(b"data", low.tobytes())), warning=LOW_24)
    two = np.repeat(low, 2).astype("<i4").tobytes()
    yield Case(
        "s24le_new_stereo.wav",
        riff(fmt(n_channels=2, n_bits=32), chunk(b"data", two)),
        warning=LOW_24,
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
