"""The interface for programs: every path answers as the OpenAPI document says."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import threading
import time

import jsonschema
import pytest
from web_fakes import ABOUT, LABELS, TOKEN, Bench, decision

from edge.errors import ParameterError
from edge.sinks.registry import SinkSettings
from edge.sinks.web import history as history_module
from edge.sinks.web.about import about_json
from edge.sinks.web.board import read_temperature
from edge.sinks.web.history import HistoryPages
from edge.sinks.web.openapi import document
from edge.sinks.web.words import of_decision, of_status, of_summary, of_warning
from edge.stream.decision import Decision
from edge.stream.status import Status


@dataclasses.dataclass
class Hour:
    start_s: float
    heard_s: float = 3600.0
    speech_s: float = 600.0
    uncertain_s: float = 60.0
    labels: dict[str, float] = dataclasses.field(default_factory=lambda: {"happy": 600.0})
    activation: float | None = 0.61234
    level_db: float | None = -30.25


def follow(schema: object) -> object:
    """Put what is referred to in its place."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return follow(document("1")["components"]["schemas"][schema["$ref"].split("/")[-1]])
        return {key: follow(value) for key, value in schema.items()}
    return [follow(each) for each in schema] if isinstance(schema, list) else schema


def check(answer, path: str) -> None:
    """An answer is one of those that the document names, with what it promises in it."""
    responses = document("1")["paths"][path]["get"]["responses"]
    assert str(answer.status_code) in responses, (path, answer.status_code)
    kind = answer.headers["content-type"].partition(";")[0]
    schema = follow(responses[str(answer.status_code)]["content"][kind]["schema"])
    if kind == "application/json":
        jsonschema.validate(answer.json(), schema)


PLAIN = [path for path in document("1")["paths"] if path != "/api/v1/events"]


@pytest.mark.parametrize("path", PLAIN)
def test_every_path_answers_as_the_document_says(path):
    """Before the first decision, behind many, when it stands still, and without a token."""
    bench = Bench(read=lambda _since: [Hour(time.time() - 4000)])
    check(bench.get(path), path)
    bench.tell(*(of_decision(decision(n)) for n in range(20)))
    bench.tell(of_decision(Decision.of_gap(5.0, 6.0, 16_000, "lost")))
    bench.tell(of_status(Status("back", "it is back", 2.0, time.time())))
    bench.tell(of_warning("odd", time.time()), of_summary({"decisions": 20}))
    check(bench.get(path), path)
    bench.clock.s += 60.0
    check(bench.get(path), path)
    check(Bench(TOKEN).get(path), path)


def test_the_document_is_one_of_openapi():
    found = Bench().get("/api/v1/openapi.json").json()
    assert found["openapi"].startswith("3.1")
    names = [path["get"]["operationId"] for path in found["paths"].values()]
    assert len(set(names)) == len(names)
    for schema in found["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(follow(schema))
    for path in found["paths"].values():
        assert path["get"]["summary"]
        for answer in path["get"]["responses"].values():
            assert answer["description"]


def test_now_is_the_record_of_the_last_decision():
    bench = Bench()
    assert bench.get("/api/v1/now").json() == {"version": 1, "age_s": None, "decision": None}
    last = decision(4)
    bench.tell(of_decision(decision(3)), of_decision(last))
    bench.clock.s += 0.25
    found = bench.get("/api/v1/now").json()
    assert found["decision"] == last.to_dict()
    assert found["age_s"] == 0.25
    # A gap is no decision.
    bench.tell(of_decision(Decision.of_gap(5.0, 6.0, 16_000, "lost")))
    assert bench.get("/api/v1/now").json()["decision"] == last.to_dict()


def test_the_last_minutes_are_bounded_in_order_and_short():
    bench = Bench()
    for n in range(3_000):
        bench.clock.s += 0.5
        bench.tell(of_decision(decision(n)))
    found = bench.get("/api/v1/recent").json()["decisions"]
    assert [each["end_s"] for each in found] == [n * 0.5 + 3 for n in range(2_400 - 1, 3_000)][
        -601:
    ]
    assert len(bench.get("/api/v1/recent?span_s=600").json()["decisions"]) == 1_201
    assert len(bench.get("/api/v1/recent?span_s=0.6").json()["decisions"]) == 2
    row = found[-1]
    whole = decision(2_999).to_dict()
    assert row["label"] == whole["label"]
    assert row["probability"] == whole["posterior"][row["label"]]


def test_a_row_says_what_an_unsure_decision_leans_to():
    unsure = decision(1, state="uncertain", label=None)
    row = json.loads(of_decision(unsure).row)
    assert (row["state"], row["label"], row["probability"]) == ("uncertain", "neutral", 0.7)
    quiet = json.loads(of_decision(decision(6)).row)
    assert (quiet["label"], quiet["probability"], quiet["activation"]) == (None, None, None)


@pytest.mark.parametrize("span_s", ["0", "-1", "601", "nan", "inf", "x", "", "1e400"])
def test_a_span_that_is_none_is_one_sentence(span_s):
    answer = Bench().get(f"/api/v1/recent?span_s={span_s}")
    assert answer.status_code == 400
    assert "0 to 600 is wanted" in answer.json()["error"]


def test_health_counts_what_went_wrong():
    bench = Bench()
    bench.tell(*(of_decision(decision(n, skipped_hops=n % 2)) for n in range(10)))
    bench.tell(of_decision(Decision.of_gap(5.0, 6.0, 16_000, "lost")))
    for kind in ("lost", "back", "lost", "back", "muted"):
        bench.tell(of_status(Status(kind, f"it is {kind}", time_s=1.0)))
    bench.tell(of_warning("odd", 2.0))
    bench.clock.s += 3.0
    found = bench.get("/api/v1/health").json()
    assert found["ok"] is True
    assert (found["decisions"], found["gaps"]) == (10, 1)
    assert found["states"] == {"speech": 9, "uncertain": 0, "no-speech": 0, "quiet": 1}
    assert (found["dropped_samples"], found["skipped_hops"]) == (16_000, 5)
    assert (found["reconnections"], found["warnings"]) == (2, 1)
    assert (found["p50_ms"], found["p95_ms"]) == (6.0, 8.0)
    assert [note["type"] for note in found["notes"]] == ["status"] * 5 + ["warning"]
    assert found["uptime_s"] == 3.0


def test_the_watchdog_is_told_when_decisions_stop():
    bench = Bench()
    bench.clock.s += 4.9
    assert bench.get("/healthz").status_code == 200
    bench.clock.s += 0.2
    assert bench.get("/healthz").status_code == 503  # none ever came
    bench.tell(of_decision(decision(0)))
    assert bench.get("/healthz").json() == {"ok": True, "age_s": 0.0}
    bench.clock.s += 5.1
    bench.tell(of_decision(Decision.of_gap(5.0, 6.0, 16_000, "lost")))  # no decision
    assert bench.get("/healthz").status_code == 503
    assert bench.get("/api/v1/health").json()["ok"] is False


def test_about_says_acted_speech_and_what_was_measured():
    found = json.loads(about_json(ABOUT, LABELS))
    assert "acted speech" in found["measured_on"]
    assert found["accuracy"][0] == {
        "split": "speaker-5fold, toy", "metric": "uar", "value": 0.625, "n": 1320,
        "ci95": [0.6, 0.65],
    }  # fmt: skip
    assert [each["name"] for each in found["labels"]] == list(LABELS)
    assert len({each["colour"] for each in found["labels"]}) == len(LABELS)
    assert found["model_sha256"] == "ab" * 32


def test_metrics_are_those_of_this_run_alone():
    first, second = Bench(), Bench()
    first.tell(*(of_decision(decision(n)) for n in range(7)))
    lines = first.get("/metrics").text.splitlines()
    assert 'edge_ser_decisions_total{state="speech"} 6.0' in lines
    assert 'edge_ser_decisions_total{state="quiet"} 1.0' in lines
    assert "edge_ser_latency_seconds_count 7.0" in lines
    assert 'edge_ser_latency_seconds_bucket{le="0.005"} 4.0' in lines
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)
    assert any(line.startswith('edge_ser_info{model="toy-model"') for line in lines)
    assert "edge_ser_activation" not in first.get("/metrics").text.replace("# ", "")
    assert 'edge_ser_decisions_total{state="speech"} 0.0' in second.get("/metrics").text
    first.tell(of_decision(decision(7)))
    assert 'edge_ser_probability{label="sad"} 0.7' in first.get("/metrics").text
    parser = pytest.importorskip("prometheus_client.parser")
    names = [
        each.name for each in parser.text_string_to_metric_families(first.get("/metrics").text)
    ]
    assert len(set(names)) == len(names)


def test_a_week_comes_from_the_history_and_is_read_once_for_all():
    asked: list[float] = []

    def read(since_s: float) -> list[Hour]:
        asked.append(since_s)
        return [Hour(1_700_000_000.0)]

    bench = Bench(read=read)
    found = bench.get("/api/v1/history?span=week").json()
    assert bench.get("/api/v1/history?span=week").json() == found
    assert len(asked) == 1
    assert time.time() - asked[0] == pytest.approx(7 * 86_400, abs=60)
    assert (found["has_file"], found["error"], found["span"]) == (True, None, "week")
    (hour,) = found["hours"]
    assert hour["labels"] == {"happy": 600.0}
    assert hour["activation"] == 0.612
    assert bench.get("/api/v1/history?span=year").status_code == 400


def test_a_history_that_cannot_be_read_is_a_sentence():
    def missing(_since_s: float) -> list[Hour]:
        raise ParameterError("there is no history")

    def broken(_since_s: float) -> list[Hour]:
        raise ValueError("bad")

    assert Bench(read=missing).get("/api/v1/history").json()["error"] == "there is no history"
    assert "cannot be read" in Bench(read=broken).get("/api/v1/history").json()["error"]
    assert Bench().get("/api/v1/history").json()["has_file"] is False


def test_readers_of_a_slow_history_share_one_look():
    begun, n = [], 50

    def read(_since_s: float) -> list[Hour]:
        begun.append(1)
        time.sleep(0.1)
        return []

    async def all_ask() -> None:
        pages = HistoryPages(read)
        answers = await asyncio.gather(*(pages.answer("day") for _ in range(n)))
        assert len(set(answers)) == 1

    asyncio.run(all_ask())
    assert len(begun) == 1


def test_a_disk_that_hangs_is_asked_once_and_not_waited_for(monkeypatch):
    monkeypatch.setattr(history_module, "_PATIENCE_S", 0.05)
    is_back, begun = threading.Event(), []

    def read(_since: float) -> list[Hour]:
        begun.append(1)
        assert is_back.wait(10)
        return [Hour(1_700_000_000.0)]

    async def ask_again() -> None:
        pages = HistoryPages(read)
        for _ in range(3):
            assert b"takes long" in await pages.answer("day")
        is_back.set()
        while b"takes long" in (page := await pages.answer("day")):
            await asyncio.sleep(0.01)
        assert json.loads(page)["hours"][0]["start_s"] == 1_700_000_000.0

    asyncio.run(ask_again())
    assert len(begun) == 1


def test_more_listeners_than_there_is_room_for_are_sent_away():
    bench = Bench()
    bench.answers.stream._clients.update({object(), object()})
    answer = bench.get("/api/v1/events")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    check(answer, "/api/v1/events")


def test_an_error_of_ours_is_a_sentence_and_complained_of(monkeypatch):
    bench = Bench()
    monkeypatch.setattr(bench.board, "now", lambda: 1 / 0)
    answer = bench.get("/api/v1/now")
    assert answer.status_code == 500
    assert "could not be answered" in answer.json()["error"]
    assert "ZeroDivisionError" in bench.complaints[0]
    assert "Traceback" not in answer.text


def test_nothing_else_is_there():
    for path in ("/nope", "/api/v1", "/api/v1/now/", "//evil.example/", "/page/../page.js"):
        answer = Bench().get(path)
        assert answer.status_code == 404
        assert "location" not in answer.headers


def test_what_does_not_change_is_not_sent_twice():
    bench = Bench()
    for path in ("/", "/page.js", "/api/v1/about"):
        first = bench.get(path)
        assert first.status_code == 200
        again = bench.get(path, if_none_match=first.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")


def test_the_temperature_is_the_warmest_that_can_be_true(tmp_path):
    for name, text in (("a", "48312\n"), ("b", "51900"), ("c", "-274000"), ("d", "x"), ("e", "")):
        (tmp_path / name).write_text(text)
    assert read_temperature(str(tmp_path / "*")) == 51.9
    assert read_temperature(str(tmp_path / "none*")) is None


def test_settings_of_a_run_reach_the_board():
    assert SinkSettings(io.StringIO()).say("nobody hears it") is None
