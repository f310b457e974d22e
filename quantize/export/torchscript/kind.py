"""CLAF-SER as frozen TorchScript, fp32 or with int8 weights."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from edge.errors import BackendError
from quantize.export.rounding.recipe import RoundingRecipe

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = ["torchscript_model"]

# torch numbers the classes that a process compiled, and the number is part of a class's name.
_CLASS_NUMBER = re.compile(rb"\.___torch_mangle_\d+")
# The oldest date that a zip archive can hold.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


# Modules of the twin by the names that recipes give their layers; fc1's matrix is also that of
# the attention's output.
_MODULES = {
    "lstm.weight_hh": "lstm",
    "attention.query": "query",
    "attention.key": "key",
    "attention.value": "value",
    "attention.output": "fc1",
    "fc1": "fc1",
    "fc2": "fc2",
}


def torchscript_model(model: CLAFSER, recipe: RoundingRecipe, _: object = None) -> bytes:
    """Script the twin, freeze it and pack it, with any batch size and number of frames.

    Parameters
    ----------
    model : CLAFSER
        On any device; it is left as it was.
    recipe : RoundingRecipe
        float, or dynamic: the LSTM and every Linear that is not kept in float get one factor for
        each output channel (each of the LSTM's gate rows too), activations are rounded as they
        come; the convolution is stored in 8 bits and computed in float32.

    Returns
    -------
    bytes
        Content of ``model.pt``.  The same weights give the same bytes.

    Raises
    ------
    BackendError
        If this torch has no engine for int8.

    Notes
    -----
    Engines.  The archive holds plain int8 weights and their factors; the device's torch packs
    them for the engine it has when it loads them (x86 and fbgemm on Intel and AMD, qnnpack on
    ARM), so one file serves all.  The engines do not give the same posterior: those of x86 round
    activations to 7 bits (``reduce_range``), because without VNNI products are added in pairs in
    16 bits that saturate, and 7-bit activations with full int8 weights cannot (32,512 < 32,768);
    qnnpack has no such limit, ignores the wish and takes 8 bits.  On 500 held-out segments of four
    trained models a posterior differs from torch fp32 by up to 0.045 on x86 and 0.020 with
    qnnpack, and the label is the same on 99.4 % or more.

    Factors.  One factor for a whole matrix, torch's default, gave the same label on 98.8 % of
    the segments of one of the four models; one for each channel costs 16 bytes (a double and an
    eight-byte zero), of which deflate leaves a few.
    """
    import torch

    from quantize.export.torchscript.int8_conv import Int8Conv1d
    from quantize.export.twin import ExportTwin

    twin: Any = ExportTwin(model).to("cpu").eval()
    buffer = io.BytesIO()
    # What freezing must not bring to float32 in the file.
    stored: list[str] = []
    with _quiet():
        if recipe.method == "dynamic":
            kept = {m for layer, m in _MODULES.items() if recipe.is_float(layer)}
            twin = _quantized(twin, set(_MODULES.values()) - kept)
            if not recipe.is_float("conv"):
                twin.conv = Int8Conv1d(twin.conv)
                stored = ["conv.whole"]
        scripted = torch.jit.script(twin.eval())
        torch.jit.save(torch.jit.freeze(scripted, preserved_attrs=stored), buffer)
    return _packed(buffer.getvalue())


def _quantized(twin: Any, modules: Iterable[str]) -> Any:
    import torch
    from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic

    if torch.backends.quantized.engine == "none":
        raise BackendError(
            f"torch {torch.__version__} has no engine for int8 on this machine: export "
            "torchscript-int8 on x86 or aarch64 with a torch from pip"
        )
    layers = dict.fromkeys(modules, per_channel_dynamic_qconfig)
    return quantize_dynamic(twin, layers, dtype=torch.qint8)


def _packed(content: bytes) -> bytes:
    """Write the archive anew: small, the same every time, and silent about this machine.

    Debug records hold the paths of source files; ``serialization_id`` hashes the number of the
    class.  torch stores weights as they are but reads deflated ones as well.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as found, zipfile.ZipFile(file, "w") as packed:
        for name in found.namelist():
            if name.endswith((".debug_pkl", "/serialization_id")):
                continue
            record = found.read(name)
            if name.endswith((".py", ".pkl")):
                record = _CLASS_NUMBER.sub(b"", record)
            entry = zipfile.ZipInfo(re.sub(r"/___torch_mangle_\d+", "", name), _NO_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, record, compresslevel=9)
    return file.getvalue()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence torch's advice to use torch.export, which cannot quantize an LSTM."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
