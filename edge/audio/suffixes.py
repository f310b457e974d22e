"""What the names of audio files end in."""

from __future__ import annotations

__all__ = ["AUDIO_SUFFIXES", "READABLE_SUFFIXES", "UNREADABLE_SUFFIXES"]

#: Suffixes, in lower case, of what soundfile reads.
READABLE_SUFFIXES = frozenset(
    {
        ".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64", ".snd",
        ".w64",
    }
)  # fmt: skip
#: Suffixes of sound and film that has to be converted first.
UNREADABLE_SUFFIXES = frozenset(
    {
        ".3ga", ".3gp", ".aac", ".ac3", ".aifc", ".amr", ".ape", ".avi", ".awb", ".m4a", ".m4b",
        ".mka", ".mkv", ".mov", ".mp2", ".mp4", ".ra", ".spx", ".tta", ".webm", ".wma", ".wmv",
        ".wv",
    }
)  # fmt: skip
#: Suffixes, in lower case, that a folder is searched for.
AUDIO_SUFFIXES = READABLE_SUFFIXES | {".wav", ".wave"}
