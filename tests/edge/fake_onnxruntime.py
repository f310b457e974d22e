"""A package ``onnxruntime`` that runs a NumPy model, or does what broken ones do.

Tests copy this file into a folder of their own that comes first on the search path; the variable
``FAKE_RUNTIME`` tells what it does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from types import SimpleNamespace
from typing import Any

__version__ = "0.0"

_WAY = os.environ.get("FAKE_RUNTIME", "works")
_TYPES = {"float32": "tensor(float)", "int64": "tensor(int64)"}

ExecutionMode = SimpleNamespace(ORT_SEQUENTIAL=0)

if _WAY == "is broken":
    raise ImportError("libfake.so.1: cannot open shared object file")
if _WAY == "prints":
    print("fake runtime 0.0 says hello", end="")


class SessionOptions(SimpleNamespace):
    def add_session_config_entry(self, key: str, value: str) -> None:
        pass


class Binding:
    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.logits_at = 0

    def bind_cpu_input(self, name: str, values: Any) -> None:
        self.inputs[name] = values

    def bind_output(
        self, name: str, device: str, device_id: int, dtype: object, shape: object, at: int
    ) -> None:
        self.logits_at = at


class InferenceSession:
    def __init__(self, model: bytes, options: object, providers: object) -> None:
        from artifact_fakes import manifest_fields

        from edge.artifact import Manifest
        from edge.runtimes.numpy.model import NumpyModel

        self._manifest = Manifest.from_dict(manifest_fields())
        self._session = NumpyModel(self._manifest, model).session()

    def get_inputs(self) -> list[Any]:
        return self._nodes(self._manifest.inputs)

    def get_outputs(self) -> list[Any]:
        return self._nodes(self._manifest.outputs)

    def run(self, names: list[str], feeds: dict[str, Any]) -> list[Any]:
        if _WAY.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, _WAY))
        if _WAY == "hangs":
            time.sleep(60)
        if _WAY == "exits":
            os._exit(3)
        logits = self._session.infer(feeds["features"], int(feeds["language"][0]))
        if _WAY == "is wrong":
            logits[:, 0] += 1
        if _WAY == "is slow":
            end_s = time.process_time() + 0.02
            while time.process_time() < end_s:
                pass
        return [logits]

    def io_binding(self) -> Binding:
        return Binding()

    def run_with_iobinding(self, binding: Binding) -> None:
        (logits,) = self.run([], binding.inputs)
        ctypes.memmove(binding.logits_at, logits.ctypes.data, logits.nbytes)

    @staticmethod
    def _nodes(specs: Any) -> list[Any]:
        return [SimpleNamespace(name=s.name, type=_TYPES[s.dtype], shape=s.shape) for s in specs]
