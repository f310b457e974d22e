"""NumPy archives: members, headers and compression that lie about what is inside."""

from __future__ import annotations

import hashlib
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edge.bundled import MODELS_DIR
from fuzz.fuzz_manifest import open_and_decide
from fuzz.fuzz_wav import demo_samples
from fuzz.judge import manifest_of, tiny, write_folder
from fuzz.mutate import EDGES, TEXTS, mutate_bytes
from fuzz.target import Trial

__all__ = ["NpzTarget"]

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_TYPES = (
    "<f4", ">f4", "<f8", "<f2", "|u1", "|i1", "<i8", "|b1", "<c8", "|O", "|V8", "<U5", "|S3",
    "<M8[s]", "<f4, <f4", "f4" * 2000, "(1000000,)f4", "{", "O8", "|S0", "<U0", "<f16",
)  # fmt: skip

# What NumPy reads as a Python literal.
_HEADERS = (
    "{" * 5000, "(" * 150_000, "[" * 99, "{'descr'", "\0", "1" * 100_000, "'''", "\\", "x: 1",
    "__import__('os').system('true')", "-" * 60_000 + "1", "{**{}}", "9**9**9", "1e999",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "\tx\n y", "'\\N{x}'",
)  # fmt: skip

# Bytes too many in a member; zeros, which pack into little.
_EXCESS = (*(1, 1000, 3_000_000) * 3, 70_000_000, 300_000_000)


class NpzTarget:
    """Through ``edge.load``, with a manifest that names the archive's true size and hash."""

    may_probe = False
    needs = ()
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Read the archives that are changed."""
        tiny(seeds)
        self._clip = demo_samples()[20_000:60_000]
        self._seeds: list[tuple[dict[str, Any], bytes, list[tuple[str, bytes]]]] = []
        for folder in (seeds / "tiny", MODELS_DIR / "claf-ser-tiny"):
            model = (folder / "model.npz").read_bytes()
            with zipfile.ZipFile(io.BytesIO(model)) as archive:
                members = [(name, archive.read(name)) for name in archive.namelist()]
            manifest = manifest_of(folder)
            self._seeds.append((manifest, model, members))

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Change an archive, to open its folder and let it decide."""
        rng = trial.rng
        manifest, model, members = self._seeds[rng.random() < 0.3]
        kind = rng.random()
        if kind < 0.35:
            changed = mutate_bytes(rng, model, model)
        elif kind < 0.39:
            changed = _no_archive(rng)
        else:
            changed = _archive(rng, members)
            if kind > 0.9:
                changed = mutate_bytes(rng, changed, model, 1)
        digest = hashlib.sha256(changed).hexdigest()
        fields = {**manifest, "model_bytes": len(changed), "model_sha256": digest}
        folder = trial.folder / "m"
        write_folder(folder, json.dumps(fields).encode(), "model.npz", changed)
        return lambda: open_and_decide(folder, None, self._clip)


def _archive(rng: random.Random, members: list[tuple[str, bytes]]) -> bytes:
    """Write the members anew, some of them changed."""
    members = list(members)
    # None at times: the same members packed in another way.
    for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 4))):
        at = rng.randrange(len(members))
        name, content = members[at]
        kind = rng.randrange(12)
        if kind < 4:
            members[at] = (name, _header(rng, content))
        elif kind == 4:
            members[at] = (name, mutate_bytes(rng, content, b"", 1))
        elif kind == 5:
            members[at] = (name, content[: rng.choice((0, 5, 10, 79, 128, len(content) - 1))])
        elif kind == 6:
            members[at] = (name, content + bytes(rng.choice(_EXCESS)))
        elif kind == 7:
            new = rng.choice((*TEXTS, name.removesuffix(".npy"), name + "x", "../" + name))
            members[at] = (new.replace("\ud800", "?")[:60_000] or "x", content)
        elif kind == 8:
            members.append((name, content))
        elif kind == 9:
            members.append((f"extra{rng.randrange(9)}.npy", content))
        elif kind == 10 and len(members) > 1:
            del members[at]
        else:
            members[at] = (name, _values(rng, content))
    if rng.random() < 0.02:
        members += [(f"n{i}.npy", b"") for i in range(20_000)]
    # NumPy writes the first two kinds; the others are refused at the first member.
    methods = _METHODS[:2] if rng.random() < 0.8 else _METHODS
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo("x")
            info.filename = name
            is_huge = len(content) > 10_000_000
            info.compress_type = zipfile.ZIP_DEFLATED if is_huge else rng.choice(methods)
            _write_quietly(archive, info, content)
    return file.getvalue()


def _write_quietly(archive: zipfile.ZipFile, info: zipfile.ZipInfo, content: bytes) -> None:
    # A name that is there twice is wanted, the module's warning of it is not.
    archive.NameToInfo.pop(info.filename, None)
    archive.writestr(info, content)


def _header(rng: random.Random, content: bytes) -> bytes:
    """Write another header before the same numbers."""
    if content[:6] != b"\x93NUMPY":
        return content
    (length,) = struct.unpack_from("<H", content, 8)
    data = content[10 + length :]
    shape = [len(data) // 4]
    kind = rng.randrange(12)
    descr, order, version = "'<f4'", "False", (1, 0)
    if kind < 3:
        shape = [rng.choice(EDGES) for _ in range(rng.choice((0, 1, 2, 3, 33, 65)))]
    elif kind < 5:
        descr = repr(rng.choice(_TYPES))
    elif kind == 5:
        order = rng.choice(("True", "None", "1", "'x'"))
    elif kind == 6:
        version = rng.choice(((2, 0), (3, 0), (0, 0), (9, 9), (1, 1)))
    sizes = "".join(f"{size}, " for size in shape)
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': ({sizes}), }}"
    if kind == 7:
        text = rng.choice(_HEADERS)
    elif kind == 8:
        text = mutate_bytes(rng, text.encode(), b"", 1).decode("latin-1")
    elif kind == 9:
        text += " " * rng.choice((1, 100, 60_000))
    elif kind == 10:
        return content[:8] + struct.pack("<H", rng.choice(EDGES) % 65536) + content[10:]
    raw = text.encode("latin-1")
    size = struct.pack("<H", len(raw) % 65536) if version == (1, 0) else struct.pack("<I", len(raw))
    if kind == 11:
        data = rng.choice((b"", data[:-1], data * 2))
    return b"\x93NUMPY" + bytes(version) + size + raw + data


def _values(rng: random.Random, content: bytes) -> bytes:
    """Replace some numbers by such as no weight has."""
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False).copy()
    except Exception:
        return content  # It was changed before, into nothing that NumPy reads.
    if array.dtype.kind not in "fiu":
        return content
    if array.dtype in (np.float32, np.float64) and array.size:
        flat = array.reshape(-1)
        flat[rng.randrange(array.size)] = rng.choice((np.nan, np.inf, -np.inf, 3e38, 1e30, 1e-45))
    elif array.size:
        array = rng.choice((array * 0, array[..., :-1], array.astype("<f4"), array[None]))
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _no_archive(rng: random.Random) -> bytes:
    kind = rng.randrange(7)
    file = io.BytesIO()
    if kind == 0:
        np.save(file, np.zeros(rng.choice((0, 3, 100_000))))
    elif kind == 1:
        return b"\x80\x04cos\nsystem\n(S'true'\ntR."
    elif kind == 2:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("model/data.pkl", b"\x80\x02cos\nsystem\n(X\x04\0\0\0truetR.")
            archive.writestr("model/version", b"3\n")
    elif kind == 3:
        with zipfile.ZipFile(file, "w"):
            pass
    elif kind == 4:
        return rng.randbytes(rng.choice((0, 1, 22, 1000)))
    elif kind == 5:
        return b"PK\5\6" + bytes(18)
    else:
        return b"PK\3\4" + rng.randbytes(200)
    return file.getvalue()
