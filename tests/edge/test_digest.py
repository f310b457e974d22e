from __future__ import annotations

import hashlib
import importlib
import sys
import types

import pytest

import edge.digest
from edge.digest import sha256_hex


@pytest.mark.parametrize("content", [b"", b"abc", bytes(range(256)) * 4001])
def test_digest_is_that_of_hashlib(content: bytes) -> None:
    assert sha256_hex(content) == hashlib.sha256(content).hexdigest()


def test_digest_without_python_s_private_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_sha2", None)
    monkeypatch.setitem(sys.modules, "_sha256", types.ModuleType("_sha256"))
    assert importlib.reload(edge.digest).sha256_hex(b"abc") == hashlib.sha256(b"abc").hexdigest()
    monkeypatch.undo()
    importlib.reload(edge.digest)
