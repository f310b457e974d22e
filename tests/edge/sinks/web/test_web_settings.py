"""``--to web:HOST:PORT``: what is refused, and who must know a token."""

from __future__ import annotations

import io

import pytest
from web_fakes import TOKEN

from edge.errors import HistoryError, MissingDependencyError, ParameterError
from edge.sinks.registry import SinkSettings, make_sink
from edge.sinks.target import target_from_text
from edge.sinks.web import sink as module
from edge.sinks.web.settings import TOKEN_VARIABLE, is_loopback, read_settings


def read(text: str, **environment: str):
    return read_settings(target_from_text(text), environment)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("web:127.0.0.1:8080", "127.0.0.1", 8080),
        ("web:localhost:1", "localhost", 1),
        ("web:[::1]:8080", "::1", 8080),
        ("web:127.0.0.1:0", "127.0.0.1", 0),
    ],
)
def test_an_address_of_this_machine_needs_no_token(text, host, port):
    settings = read(text)
    assert (settings.host, settings.port, settings.token) == (host, port, "")
    assert settings.is_local


@pytest.mark.parametrize(
    "text",
    ["web:8080", "web:127.0.0.1", "web:127.0.0.1:", "web:127.0.0.1:70000", "web:::1:80",
     "web:a b:80", "web:http://x:80", "web:x:-1", "web:127.0.0.1:80/path"],
)  # fmt: skip
def test_what_is_no_address_is_one_sentence_with_an_example(text):
    with pytest.raises(ParameterError, match=r"web:127\.0\.0\.1:8080"):
        read(text)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "192.168.1.5", "[::]", "pi.local", "localhost.evil.example"]
)
def test_any_other_address_wants_a_token_and_says_how_to_make_one(host):
    with pytest.raises(ParameterError, match=f"token_file=web-token.*{TOKEN_VARIABLE}.*secrets"):
        read(f"web:{host}:8080")
    settings = read(f"web:{host}:8080", **{TOKEN_VARIABLE: TOKEN})
    assert settings.token == TOKEN
    assert not settings.is_local
    assert TOKEN not in repr(settings)


def test_the_token_comes_from_a_file_before_the_environment(tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    settings = read(f"web:0.0.0.0:80?token_file={file}", **{TOKEN_VARIABLE: "x" * 30})
    assert settings.token == TOKEN
    assert not settings.is_token_open
    file.chmod(0o644)
    assert read(f"web:0.0.0.0:80?token_file={file}").is_token_open


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"short", "5 characters, 16 to 256"), (b"", "no header can carry"),
     (b"two words of a token", "no header"), (b"\xff" * 20, "no header"),
     (b"x" * 300, "300 characters")],
)  # fmt: skip
def test_a_token_that_is_none_is_refused(tmp_path, content, sentence):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ParameterError, match=sentence):
        read(f"web:127.0.0.1:80?token_file={file}")


def test_a_token_file_that_cannot_be_read_is_refused(tmp_path):
    for path in (tmp_path / "none", tmp_path, ""):
        with pytest.raises(ParameterError):
            read(f"web:127.0.0.1:80?token_file={path}")


def test_names_of_this_machine():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "LOCALHOST", "localhost.")))
    assert not any(map(is_loopback, ("127.0.0.1.nip.io", "0.0.0.0", "::", "", "localhost.x")))


def test_a_missing_package_is_named_with_the_command(monkeypatch):
    monkeypatch.setitem(module._PACKAGES, "no_such_module_here", "no-such-package")
    with pytest.raises(MissingDependencyError, match=r"no-such-package.*pip install starlette"):
        make_sink("web:127.0.0.1:8080", SinkSettings(io.StringIO()))


def test_making_one_opens_nothing():
    sink = make_sink("web:127.0.0.1:1", SinkSettings(io.StringIO()))
    sink.close()


def test_the_history_of_the_same_run_is_shown_unless_another_is_named(tmp_path):
    def read(text: str, history: str) -> str:
        sink = make_sink(text, SinkSettings(io.StringIO(), history=history))
        with pytest.raises(HistoryError) as caught:
            sink._read(0.0)
        return str(caught.value)

    mine, other = str(tmp_path / "mine.db"), str(tmp_path / "other.db")
    assert mine in read("web:127.0.0.1:1", mine)
    assert other in read(f"web:127.0.0.1:1?history={other}", mine)
    assert make_sink("web:127.0.0.1:1", SinkSettings(io.StringIO()))._read is None
