"""``listen --to web:HOST:PORT`` as a person types it."""

from __future__ import annotations

import os
import re
import socket

import pytest

from edge.cli.main import main


def listen(model: list[str], *words: str) -> int:
    begin = ["listen", "--source", "demo", "--fast", "--duration", "3", "--config", os.devnull]
    return main([*begin, *model, *words])


def test_it_says_where_the_page_is_and_ends_with_the_run(model, capsys):
    assert listen(model, "--to", "web:127.0.0.1:0") == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    port = re.search(r"the page is at http://127\.0\.0\.1:(\d+)/", printed.err)
    assert port is not None
    assert "warning" not in printed.err
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", int(port[1])), timeout=1)


def test_a_port_in_use_ends_a_run_that_has_nothing_else_to_do(model, capsys, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        target = f"web:127.0.0.1:{taken.getsockname()[1]}"
        assert listen(model, "--to", target) == 2
        said = capsys.readouterr().err
        assert "Address already in use; name another port" in said
        assert "Traceback" not in said
        # Beside another one it is named, the run goes on, and its exit code tells.
        file = tmp_path / "a.jsonl"
        assert listen(model, "--to", target, "--to", f"jsonl:{file}") == 2
        assert "Address already in use" in capsys.readouterr().err
        assert '"summary"' in file.read_text()


def test_other_machines_are_let_in_with_a_token_alone(model, capsys, monkeypatch):
    monkeypatch.delenv("EDGE_SER_WEB_TOKEN", raising=False)
    assert listen(model, "--to", "web:0.0.0.0:0") == 2
    assert "no token is given" in capsys.readouterr().err
    monkeypatch.setenv("EDGE_SER_WEB_TOKEN", "a-token-that-is-long")
    assert listen(model, "--to", "web:0.0.0.0:0") == 0
    printed = capsys.readouterr()
    assert "a-token" not in printed.err + printed.out
