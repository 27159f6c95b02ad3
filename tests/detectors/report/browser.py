"""Debian's Chromium for tests of the page: what it asks the network for, says on its console, refuses and pops up.

Takes pages of text; gives them open in a browser that has no network. Where the browser or what drives it is absent,
tests say so and are skipped.
"""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None

CHROMIUM = shutil.which("chromium")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
LAPTOP, PHONE = (1366, 768), (360, 740)
"""A common laptop, and the narrowest phone that is still common: CSS pixels."""
WAIT_MS = 10_000

_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation",
  e => window.violations.push(e.violatedDirective + " " + e.blockedURI));
"""
_RATIO = """
element => {
  const colour = text => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return {r, g, b, a};
  };
  const light = ({r, g, b}) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const style = getComputedStyle(element);
  const ink = colour(element instanceof SVGElement ? style.fill : style.color);
  let under = element, ground = {r: 255, g: 255, b: 255, a: 0};
  while (under && ground.a < 1) {
    ground = colour(getComputedStyle(under).backgroundColor);
    under = under.parentElement;
  }
  if (ground.a < 1) {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    ground = dark ? {r: 18, g: 18, b: 18} : {r: 255, g: 255, b: 255};
  }
  const [high, low] = [light(ink), light(ground)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}
"""
"""WCAG 2.2, "contrast ratio" and "relative luminance", of an element's text on what lies behind it."""


@dataclass
class Opened:
    """A page, and what it did since it was opened."""

    page: Any
    url: str
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def violations(self) -> list[str]:
        """What the Content-Security-Policy refused."""
        return self.page.evaluate("window.violations || []")

    def is_quiet(self) -> bool:
        """Whether it did nothing that a page on a closed network must not do; what it did is in the failure."""
        assert set(self.requests) == {self.url}, self.requests
        assert (self.console, self.errors, self.dialogs, self.violations()) == ([], [], [], [])
        return True

    def contrast(self, element: Any) -> float:
        """How much the text of an element stands out from its ground: 1 to 21."""
        ratio: float = element.evaluate(_RATIO)
        return ratio

    def overflow(self) -> list[str]:
        """What sticks out of the window to the right and is not inside something that scrolls by itself."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll("body *")].filter(e => {
                 const box = e.getBoundingClientRect();
                 if (!box.width || !box.height || box.right <= innerWidth + 1 || e.closest("svg")) return false;
                 for (let up = e.parentElement; up && up !== document.body; up = up.parentElement) {
                   if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)
                       && up.getBoundingClientRect().right <= innerWidth + 1) return false;
                 }
                 return true;
               }).map(e => e.tagName + "." + (e.className.baseVal ?? e.className) + " " + e.textContent.slice(0, 60))"""
        )


def until(page: Any, expression: str, argument: Any = None) -> None:
    """Wait until something holds on the page. Playwright's own way needs `eval`, which the page forbids."""
    given_up = time.monotonic() + WAIT_MS / 1000.0
    while not page.evaluate(expression, argument):
        if time.monotonic() > given_up:
            raise AssertionError(f"never came true: {expression}")
        page.wait_for_timeout(20)


class Desk:
    """One browser, which opens pages written to a folder."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._opened: list[Any] = []

    def write(self, html: str, name: str = "report.html") -> Path:
        """A page as a file."""
        path = self._folder / name
        path.write_text(html, encoding="utf-8")
        return path

    def open(self, path: Path, size: tuple[int, int] = LAPTOP, at: str = "", **how: Any) -> Opened:
        """A file in a window of its own without a network; `at` is a fragment, `how` what a browser context takes."""
        context = self._browser.new_context(
            offline=True, viewport={"width": size[0], "height": size[1]}, service_workers="block", **how
        )
        self._opened.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        opened = Opened(page, path.as_uri())
        page.on("request", lambda request: opened.requests.append(re.sub("#.*", "", request.url)))
        page.on("console", lambda said: opened.console.append(said.text))
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("dialog", lambda dialog: (opened.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("popup", lambda popup: opened.dialogs.append(popup.url))
        page.on("download", lambda download: opened.dialogs.append(download.url))
        if how.get("java_script_enabled", True):
            page.add_init_script(_WATCH)
        page.goto(path.as_uri() + at)
        return opened

    def close_pages(self) -> None:
        """Close what a test opened."""
        while self._opened:
            self._opened.pop().close()


@contextmanager
def desk(folder: Path) -> Iterator[Desk]:
    """A browser for a file of tests, closed behind it. Skips with the reason where there is none."""
    if CHROMIUM is None:
        pytest.skip("no `chromium` on this machine (Debian: apt-get install chromium)")
    if sync_playwright is None:
        pytest.skip("the package playwright, which drives the browser, is not installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS), chromium_sandbox=False)
        try:
            yield Desk(browser, folder)
        finally:
            browser.close()
