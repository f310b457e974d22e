"""The interface for programs, as an OpenAPI document."""

from __future__ import annotations

from typing import Any

from edge.sinks.web.board import LONGEST_RECENT_S
from edge.sinks.web.history import SPANS
from edge.sinks.web.words import as_json

__all__ = ["document", "openapi_json"]

_NUMBER = {"type": "number"}
_NUMBER_OR_NULL = {"type": ["number", "null"]}
_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_TRUTH = {"type": "boolean"}
_RECORD = {
    "type": "object",
    "description": "A record of docs/records.md.",
    "required": ["version", "type", "time"],
}
_SECONDS_BY_LABEL = {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_SCHEMAS = {
    "Record": _RECORD,
    "Error": _object(error=_TEXT),
    "Now": _object(
        version={"const": 1},
        age_s=_NUMBER_OR_NULL,
        decision={"anyOf": [{"$ref": "#/components/schemas/Record"}, {"type": "null"}]},
    ),
    "Recent": _object(
        version={"const": 1},
        hop_s=_NUMBER,
        decisions=_list(
            _object(
                time=_TEXT_OR_NULL,
                end_s=_NUMBER,
                state={"enum": ["speech", "uncertain", "no-speech", "quiet", "gap"]},
                label=_TEXT_OR_NULL,
                probability=_NUMBER_OR_NULL,
                activation=_NUMBER_OR_NULL,
                level_db=_NUMBER_OR_NULL,
            )
        ),
    ),
    "History": _object(
        version={"const": 1},
        span={"enum": list(SPANS)},
        by={"const": "hour"},
        has_file=_TRUTH,
        error=_TEXT_OR_NULL,
        hours=_list(
            _object(
                time=_TEXT,
                start_s=_NUMBER,
                heard_s=_NUMBER,
                speech_s=_NUMBER,
                uncertain_s=_NUMBER,
                labels=_SECONDS_BY_LABEL,
                activation=_NUMBER_OR_NULL,
                level_db=_NUMBER_OR_NULL,
            )
        ),
    ),
    "Health": _object(
        version={"const": 1},
        ok=_TRUTH,
        uptime_s=_NUMBER,
        age_s=_NUMBER_OR_NULL,
        decisions=_COUNT,
        states={"type": "object", "additionalProperties": _COUNT},
        p50_ms=_NUMBER_OR_NULL,
        p95_ms=_NUMBER_OR_NULL,
        gaps=_COUNT,
        dropped_samples=_COUNT,
        skipped_hops=_COUNT,
        reconnections=_COUNT,
        warnings=_COUNT,
        temperature_c=_NUMBER_OR_NULL,
        clients=_COUNT,
        left_out=_COUNT,
        notes=_list({"$ref": "#/components/schemas/Record"}),
    ),
    "About": _object(
        version={"const": 1},
        edge_ser=_TEXT,
        model=_TEXT,
        model_sha256=_TEXT,
        source=_TEXT,
        hop_s=_NUMBER,
        labels=_list(_object(name=_TEXT, colour=_COUNT)),
        measured_on=_TEXT,
        accuracy=_list(
            _object(
                split=_TEXT,
                metric=_TEXT,
                value=_NUMBER_OR_NULL,
                n={"type": ["integer", "null"]},
                ci95={"anyOf": [_list(_NUMBER), {"type": "null"}]},
            )
        ),
    ),
    "Alive": _object(ok=_TRUTH, age_s=_NUMBER_OR_NULL),
}


def _answer(text: str, schema: str = "", kind: str = "application/json") -> dict[str, Any]:
    content = {"$ref": f"#/components/schemas/{schema}"} if schema else _TEXT
    return {"description": text, "content": {kind: {"schema": content}}}


def _path(
    name: str,
    text: str,
    answer: dict[str, Any],
    parameters: list[dict[str, Any]] | None = None,
    **more: dict[str, Any],
) -> dict[str, Any]:
    answers = {"200": answer, "401": _answer("A token is wanted.", "Error")}
    if parameters:
        answers["400"] = _answer("A parameter is wrong.", "Error")
    answers |= {status.lstrip("_"): each for status, each in more.items()}
    return {
        "get": {
            "operationId": name,
            "summary": text,
            "parameters": parameters or [],
            "responses": answers,
        }
    }


def _parameter(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "required": False, "schema": schema}


def document(version: str) -> dict[str, Any]:
    """Give the document, as plain JSON types."""
    busy = _answer("Too many listen already; the header Retry-After says when to come.", "Error")
    late = _answer("No decision came for ten hops.", "Alive")
    stream = "Server-sent events: each has a record's type and, as its data, the record."
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edge-ser",
            "version": version or "0",
            "summary": "What a device hears in speech, decision by decision.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{}, {"bearer": []}, {"cookie": []}],
        "paths": {
            "/api/v1/now": _path("now", "The last decision.", _answer("It.", "Now")),
            "/api/v1/recent": _path(
                "recent",
                "The decisions of the last minutes, in short, the oldest first.",
                _answer("They.", "Recent"),
                [
                    _parameter(
                        "span_s",
                        "How far back, in seconds.",
                        {
                            "type": "number",
                            "exclusiveMinimum": 0,
                            "maximum": LONGEST_RECENT_S,
                            "default": 300,
                        },
                    )
                ],
            ),
            "/api/v1/history": _path(
                "history",
                "The hours of the last day or week in which something was heard.",
                _answer("They; error says why there are none.", "History"),
                [_parameter("span", "How far back.", {"enum": list(SPANS), "default": "day"})],
            ),
            "/api/v1/health": _path("health", "How it goes.", _answer("It.", "Health")),
            "/api/v1/about": _path("about", "What decides.", _answer("It.", "About")),
            "/api/v1/events": _path(
                "events",
                f"{stream} A slow reader loses the oldest, and an event `lost` says how many.",
                _answer("Goes on until either side ends it.", kind="text/event-stream"),
                _503=busy,
            ),
            "/api/v1/openapi.json": _path(
                "openapi",
                "This document.",
                {"description": "It.", "content": {"application/json": {"schema": {}}}},
            ),
            "/healthz": _path(
                "healthz", "Whether it lives.", _answer("It does.", "Alive"), _503=late
            ),
            "/metrics": _path(
                "metrics", "Figures for Prometheus.", _answer("They.", kind="text/plain")
            ),
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "edge_ser_page"},
            },
        },
    }


def openapi_json(version: str) -> bytes:
    """Write the document as JSON."""
    return as_json(document(version))
