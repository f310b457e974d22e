"""The page in a real browser: what it shows, for whom, and what it asks for."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest
from web_fakes import LABELS, decision, served, until

from edge.sinks.web.assets import read_assets

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"

#: Pairs of text that is seen and what lies behind it, by WCAG 2: under 4.5 is hard to read.
CONTRAST = """() => {
  const rgba = (text) => {
    const found = text.match(/[\\d.]+/g).map(Number);
    return found.length < 4 ? [...found, 1] : found;
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, at = node.parentElement;
    if (!node.textContent.trim() || at.closest(".unseen, [hidden], script, style")) continue;
    let behind = at;
    while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] === 0) {
      behind = behind.parentElement;
    }
    const ink = light(rgba(getComputedStyle(at).color));
    const ground = light(rgba(getComputedStyle(behind || document.body).backgroundColor));
    const [high, low] = ink > ground ? [ink, ground] : [ground, ink];
    found.push([node.textContent.trim().slice(0, 30), (high + 0.05) / (low + 0.05)]);
  }
  return found;
}"""

#: Fills that tell something must be told from what they lie on: 3 to 1.
FILLS = """() => [...document.querySelectorAll("#bars i")].map((fill) => [
  getComputedStyle(fill).backgroundColor, getComputedStyle(fill.parentElement).backgroundColor])"""


@dataclasses.dataclass
class Hour:
    start_s: float
    heard_s: float = 3600.0
    speech_s: float = 600.0
    uncertain_s: float = 60.0
    labels: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"happy": 400.0, "sad": 200.0}
    )
    activation: float | None = 0.6
    level_db: float | None = -30.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def sink(browser: Any) -> Iterator[Any]:
    # Behind the browser, which has a loop of its own.
    hour_s = 3600 * (time.time() // 3600)
    with served(read=lambda _since: [Hour(hour_s - 3600 * n) for n in (1, 2, 30)]) as opened:
        for n in range(101):
            opened.emit(decision(n, time.time() - 50 + n / 2))
        yield opened


@pytest.fixture(scope="module")
def page(browser: Any, sink: Any) -> Iterator[Any]:
    """One for every look that changes nothing."""
    opened = visit(browser, sink)
    yield opened
    opened.context.close()


def visit(browser: Any, sink: Any, **how: Any) -> Any:
    context = browser.new_context(
        **{"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"} | how
    )
    page = context.new_page()
    page.asked, page.odd = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda message: page.odd.append(message.text))
    page.on("pageerror", lambda error: page.odd.append(str(error)))
    page.goto(f"http://127.0.0.1:{sink.port}/")
    page.wait_for_selector("#week-map:not([hidden])")
    # From here: the page's own policy lets nobody evaluate text in it again and again.
    until(lambda: page.inner_text("#link-text") == "live")
    until(lambda: page.inner_text("#label") != "–")
    return page


def test_the_page_is_small():
    """Also where there is no browser."""
    assets = read_assets()
    assert len(assets.html) + len(assets.script) < 60_000
    text = (assets.html + assets.script).decode()
    assert b"<style>:root" in assets.html
    assert not re.search(r"""(src|href)=["'](https?:)?//""", text)
    assert "http://" not in text
    assert "https://" not in text
    # The policy forbids what stands in attributes.
    assert not re.search(r"<[^>]+ (style|on\w+)=", assets.html.decode())


def test_it_shows_what_is_decided_and_asks_nobody_else(browser, sink):
    page = visit(browser, sink)
    assert page.inner_text("#label") == decision(100).label == "happy"
    assert "70 %" in page.inner_text("#detail")
    assert page.locator("#bars li").count() == len(LABELS)
    sink.emit(decision(101, time.time(), state="no-speech", label=None, posterior=None,
                       activation=None))  # fmt: skip
    until(lambda: page.inner_text("#label") == "nobody speaks")
    sink.emit(decision(102, time.time()))
    until(lambda: page.inner_text("#label") == "sad")
    assert page.get_attribute("#activation", "aria-valuenow") == f"{decision(102).activation:.2f}"
    assert "sad" in page.get_attribute("#band", "aria-label")
    assert "acted speech" in page.inner_text("#acted")
    assert "62 % to 62 %" in page.inner_text("#range") or "63 %" in page.inner_text("#range")
    assert "Latency" in page.inner_text("#health-list")
    ours = f"http://127.0.0.1:{sink.port}/"
    assert [url for url in page.asked if not url.startswith((ours, "data:"))] == []
    assert page.odd == []
    page.context.close()


def test_the_past_is_shown_and_read_in_words(page):
    words = page.locator("#day-map td .unseen").all_inner_texts()
    assert any(re.fullmatch(r"\d\d:00: happy 7 min", each) for each in words)
    week = page.locator("#week-map tbody tr")
    assert week.count() == 7
    assert "mostly happy" in page.inner_text("#week-map")


@pytest.mark.parametrize(
    ("scheme", "width", "height"),
    [("light", 1280, 900), ("dark", 1280, 900), ("dark", 390, 844), ("light", 320, 568)],
)
def test_it_can_be_read_in_any_light_and_on_any_screen(page, scheme, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    for is_open in (False, True):
        page.evaluate(
            "(open) => document.querySelectorAll('details').forEach((d) => { d.open = open; })",
            is_open,
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    pairs = page.evaluate(CONTRAST)
    assert len(pairs) > 60
    assert [pair for pair in pairs if pair[1] < 4.5] == []
    for fill, ground in page.evaluate(FILLS):
        assert ratio(fill, ground) >= 3, (fill, ground)


def ratio(first: str, second: str) -> float:
    """Contrast of two colours of a style."""

    def light(text: str) -> float:
        parts = [int(each) / 255 for each in re.findall(r"\d+", text)[:3]]
        red, green, blue = (
            each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(first), light(second)))
    return (high + 0.05) / (low + 0.05)


def test_a_screen_reader_finds_its_way(page):
    assert page.get_attribute("html", "lang") == "en"
    for landmark in ("banner", "main", "contentinfo"):
        assert page.get_by_role(landmark).count() == 1
    names = ["Now", "Last five minutes", "Last 24 hours", "Last seven days", "Health", "Model"]
    for name in names:
        assert page.get_by_role("region", name=name, exact=True).count() == 1
        assert page.get_by_role("heading", name=name, exact=True).count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    for name in ("Activation", "Level"):
        assert page.get_by_role("meter", name=name, exact=True).count() == 1
    for table in page.locator("table").all():
        assert table.locator("caption").text_content()
    # What changes twice a second is not read out; what is, waits for a pause.
    assert page.locator("[aria-live=assertive]").count() == 0
    lively = page.locator("[aria-live=polite]")
    assert lively.evaluate_all("(all) => all.map((each) => each.id)") == ["spoken", "band-at"]


def test_it_is_used_without_a_mouse(browser, sink):
    page = visit(browser, sink)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "band"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert re.match(r"\d\d:\d\d:\d\d: ", page.inner_text("#band-at"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#minutes-body tr").count() == 5
    page.context.close()


def test_whoever_wants_no_motion_sees_none(page):
    moving = (
        "[...document.querySelectorAll('*')].filter((each) =>"
        " parseFloat(getComputedStyle(each).transitionDuration) > 0).length"
    )
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0
    page.emulate_media(reduced_motion="no-preference")


def test_it_comes_back_when_the_run_begins_anew(browser):
    with served() as first:
        first.emit(decision(0))
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{first.port}/")
        until(lambda: page.inner_text("#link-text") == "live")
        first.summary({"version": 1, "type": "summary"})
        first.close()
        until(lambda: page.inner_text("#link-text") != "live")
        again = type(first)(dataclasses.replace(first._web, port=first.port), first._settings, None)
        again.open()
        try:
            again.emit(decision(4, time.time()))
            until(lambda: page.inner_text("#link-text") == "live")
            until(lambda: page.inner_text("#label") == decision(4).label)
        finally:
            context.close()
            again.close()
