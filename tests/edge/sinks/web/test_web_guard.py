"""Who may ask, and how."""

from __future__ import annotations

import pytest
from web_fakes import TOKEN, Bench

SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@pytest.mark.parametrize("path", ["/", "/page.js", "/api/v1/now", "/metrics", "/nope", "/healthz"])
def test_every_answer_has_the_headers_that_keep_a_browser_safe(path):
    for bench in (Bench(), Bench(TOKEN)):
        answer = bench.get(path)
        assert {name: answer.headers[name] for name in SAFE} == SAFE
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_nothing_can_be_changed(method):
    answer = Bench().request(method, "/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_question_has_no_body():
    bench = Bench()
    assert bench.request("GET", "/", content=b"x").status_code == 400
    assert bench.get("/", transfer_encoding="chunked").status_code == 400
    assert bench.get("/", content_length="0").status_code == 200
    assert bench.get("/?" + "x" * 3000).status_code == 414


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:9000", "127.0.0.1:8080", "127.1.2.3", "[::1]", "[::1]:80"]
)
def test_this_machine_may_be_called_by_its_names(host):
    assert Bench().get("/", host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.nip.io", "",
     "localhost@evil.example", "192.168.1.2", "0.0.0.0", "[::ffff:10.0.0.1]", "localhost:x"],
)  # fmt: skip
def test_a_page_that_points_its_own_name_here_is_told_nothing(host):
    for path in ("/", "/api/v1/now", "/api/v1/events", "/healthz"):
        assert Bench().get(path, host=host).status_code == 421


def test_a_page_of_another_site_may_not_ask():
    bench = Bench()
    assert bench.get("/api/v1/events", sec_fetch_site="cross-site").status_code == 403
    assert bench.get("/api/v1/now", sec_fetch_site="same-site").status_code == 403
    assert bench.get("/api/v1/now", sec_fetch_site="none").status_code == 200
    # A link to the page is one.
    assert bench.get("/", sec_fetch_site="cross-site").status_code == 200
    assert bench.get("/api/v1/now", sec_fetch_site="same-origin").status_code == 200


def test_without_the_token_nothing_is_told():
    bench = Bench(TOKEN)
    for path in ("/", "/page.js", "/api/v1/now", "/metrics", "/healthz", "/nope"):
        answer = bench.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "?token=TOKEN" in answer.json()["error"]
        assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
     TOKEN, "Bearer \u00e9" * 3],
)  # fmt: skip
def test_a_wrong_token_is_none(value):
    assert Bench(TOKEN).get("/", authorization=value).status_code == 401


def test_the_token_in_a_header_opens_everything_by_any_name():
    bench = Bench(TOKEN)
    for host in ("pi.local", "192.168.1.5:8080"):
        answer = bench.get("/api/v1/now", authorization=f"Bearer {TOKEN}", host=host)
        assert answer.status_code == 200


def test_the_token_in_an_address_becomes_a_cookie_and_leaves_the_address():
    bench = Bench(TOKEN)
    answer = bench.get(f"/api/v1/recent?span_s=5&token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/api/v1/recent?span_s=5"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    kept = f"a=b; {cookie.partition(';')[0]}; c=d"
    assert bench.get("/api/v1/recent?span_s=5", cookie=kept).status_code == 200
    assert bench.get("/api/v1/recent?span_s=5", cookie=kept[:-8]).status_code == 401
    assert Bench(TOKEN + "2").get("/", cookie=cookie.partition(";")[0]).status_code == 401


def test_a_wrong_token_in_an_address_sets_no_cookie():
    for query in ("token=", f"token={TOKEN}x", "token", "&".join(["a=1"] * 100)):
        answer = Bench(TOKEN).get(f"/?{query}")
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers


def test_nobody_is_sent_to_another_host():
    for path in ("//evil.example/", "///evil.example", "/%5cevil.example", "/%0d%0aset-cookie:x"):
        answer = Bench(TOKEN).get(f"{path}?token={TOKEN}")
        location = answer.headers["location"]
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
        assert "\r" not in location
