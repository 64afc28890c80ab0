"""A person at the console in a real browser, who notices everything that goes wrong and can take pictures of pages."""

import contextlib
import io
import json
import os
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, Response
from playwright.sync_api import TimeoutError as TimedOut

ROOT = Path(__file__).parents[2]
CHROMIUM = Path(os.environ.get("SANDGLASS_TEST_BROWSER", "/usr/bin/chromium"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
]
Language = Literal["zh-CN", "en"]
Theme = Literal["light", "dark"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
THEMES: tuple[Theme, ...] = ("light", "dark")
ACCESSIBILITY = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CALM = 300
"""Milliseconds without a placeholder after which a page has settled: a little longer than a placeholder waits to appear."""
ABORTED = "net::ERR_ABORTED"
"""A request that the page itself gave up, as every live stream is when a person leaves its page."""


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium."""
    assert CHROMIUM.is_file(), f"{CHROMIUM} is missing: install the package 'chromium'."
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Every text of the console by its key."""
    texts: dict[str, str] = {}

    def gather(tree: dict, prefix: str) -> None:
        for key, value in tree.items():
            if isinstance(value, dict):
                gather(value, f"{prefix}{key}.")
            else:
                texts[prefix + key] = value

    for path in sorted((ROOT / "console/src/shared/i18n/locales" / language).glob("*.json")):
        gather(json.loads(path.read_text("utf-8")), "")
    return texts


def translated(language: Language, key: str, **values: object) -> str:
    """The console's text for ``key`` with its values filled in; ``count`` chooses the English plural."""
    texts = catalogue(language)
    if key not in texts and "count" in values:
        key += "_one" if language == "en" and values["count"] == 1 else "_other"
    return re.sub(r"\{\{(\w+)\}\}", lambda found: str(values[found[1]]), texts[key])


@dataclass
class Visitor:
    """One browser page with a language and a theme.

    Attributes:
        page: Playwright's page; paths are relative to the server's address.
        faults: what went wrong on it and was not expected; the ``page`` and ``visit`` fixtures fail the test for any.
        screenshots: where pictures of pages go; None = none are taken.
        images: where pictures for the documentation go; None = they stay as they are.
    """

    page: Page
    language: Language
    theme: Theme
    screenshots: Path | None = None
    images: Path | None = None
    faults: list[str] = field(default_factory=list)
    _expected: list[tuple[str, str]] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        self.page.on("requestfailed", self._on_failed)
        self.page.on("response", self._on_response)

    # What went wrong

    def expect_failure(self, what: int | str, path: str) -> None:
        """One failure that this test causes on purpose: a status or a ``net::`` error of requests whose address holds ``path``.

        It is itself a fault when it never comes.
        """
        self._expected.append((str(what), path))

    def unmet(self) -> list[str]:
        """Expected failures that did not come."""
        return [f"{what} of {path} was expected" for what, path in self._expected if (what, path) not in self._seen]

    def _is_expected(self, what: str, address: str) -> bool:
        for expectation in self._expected:
            if expectation[0] == what and expectation[1] in address:
                self._seen.add(expectation)
                return True
        return False

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        # Chromium writes each failed request there as well; those come through the other events.
        if message.text.startswith("Failed to load resource"):
            return
        self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_failed(self, request: Request) -> None:
        failure = request.failure or "failed"
        if failure != ABORTED and not self._is_expected(failure, request.url):
            self.faults.append(f"{request.method} {request.url}: {failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and not self._is_expected(str(response.status), response.url):
            self.faults.append(f"{response.request.method} {response.url}: {response.status}")

    # What a person does

    def text(self, key: str, **values: object) -> str:
        """What the console says for a key of its catalogue, in this person's language."""
        return translated(self.language, key, **values)

    def open(self, path: str = "/") -> None:
        """Go to a page and wait until it has loaded what it shows."""
        self.page.goto(path)
        self.settle()

    def settle(self) -> None:
        """Wait until the page shows its title, and no placeholder or half-loaded picture for `CALM` milliseconds.

        A placeholder comes only after a moment, so that one look could miss it.
        """
        self.page.locator("h1").first.wait_for()
        self.page.evaluate("() => { window.calmSince = 0; }")
        self.page.wait_for_function(
            """(calm) => {
                 const waiting = document.querySelector('[aria-busy=true], .t-skeleton, .sg-skeleton');
                 const seen = (image) => image.getBoundingClientRect().top < innerHeight && image.checkVisibility();
                 const loading = [...document.images].some((image) => seen(image) && !image.complete);
                 const now = performance.now();
                 if (waiting || loading) window.calmSince = 0;
                 else if (!window.calmSince) window.calmSince = now;
                 return window.calmSince > 0 && now - window.calmSince > calm;
               }""",
            arg=CALM,
        )
        self.page.evaluate("() => document.fonts.ready.then(() => true)")

    def speak(self, language: Language) -> None:
        """Change the language the way the console keeps it, and look at the same page again."""
        self.language = language
        self.page.evaluate("(value) => localStorage.setItem('sandglass.language', value)", language)
        self.page.reload()
        self.settle()

    def light(self, theme: Theme) -> None:
        """Change the system's theme; the open page follows."""
        self.theme = theme
        self.page.emulate_media(color_scheme=theme)
        self.page.wait_for_function(
            "(value) => document.documentElement.getAttribute('theme-mode') === value", arg=theme
        )

    # Looking

    def shot(self, name: str, *, docs: bool = False, whole: bool = False) -> None:
        """Picture of the page, where the run was asked to keep them.

        Args:
            name: what it shows; language and theme are added.
            docs: whether the documentation shows it; kept in light only.
            whole: the whole page instead of what is in view.
        """
        wanted = [self.screenshots and self.screenshots / f"{name}-{self.language}-{self.theme}.png"]
        if docs and self.theme == "light":
            wanted.append(self.images and self.images / f"{name}.{self.language}.png")
        targets = [path for path in wanted if path]
        if not targets:
            return
        data = self.page.screenshot(full_page=whole, animations="disabled", caret="hide")
        for path in targets:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data if path.parent != self.images else _small(data))

    def violations(self, *, without: tuple[str, ...] = ()) -> list[str]:
        """What axe finds wrong with the open page; ``without`` = selectors of parts that are not looked at."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(_axe())
        found = self.page.evaluate(
            """async ({tags, without}) => {
                 const ends = (item) => Number.isFinite(item.effect?.getComputedTiming().endTime);
                 // Colours on their way from one theme to the other are nobody's fault.
                 await Promise.allSettled(document.getAnimations().filter(ends).map((item) => item.finished));
                 const context = without.length ? {include: [['html']], exclude: without.map((item) => [item])} : document;
                 const answer = await axe.run(context, {runOnly: {type: 'tag', values: tags}});
                 return answer.violations.map((item) => ({
                   id: item.id, help: item.help,
                   nodes: item.nodes.map((node) => `${node.html.slice(0, 200)} :: ${node.failureSummary}`),
                 }));
               }""",
            {"tags": ACCESSIBILITY, "without": list(without)},
        )
        return [f"{item['id']}: {item['help']}\n    " + "\n    ".join(item["nodes"][:4]) for item in found]

    def check_accessible(self, *, without: tuple[str, ...] = ()) -> None:
        """The open page has no violation that axe can find."""
        found = self.violations(without=without)
        assert not found, f"{self.page.url} ({self.language}, {self.theme}):\n" + "\n".join(found)

    def inspect(self, name: str, *, docs: bool = False) -> None:
        """Look at the open page in both themes with axe, and at the widths at which it must be whole; pictures are kept.

        What is wrong becomes a fault, so that a long walk shows everything at once.
        """
        before = self.theme
        size = self.page.viewport_size
        for theme in THEMES:
            self.light(theme)
            self.faults += [f"axe, {name} ({self.language}, {theme}): {found}" for found in self.violations()]
            self.shot(name, docs=docs)
        self.light("light")
        for width, height in ((1280, 720), (1024, 768)):
            self.page.set_viewport_size({"width": width, "height": height})
            with contextlib.suppress(TimedOut):  # charts follow their place a frame later
                self.page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth", timeout=2000)
            wide = self.page.evaluate("() => document.documentElement.scrollWidth")
            if wide > width:
                self.faults.append(f"{name} ({self.language}) is {wide} px wide in a window of {width} px")
        self.shot(f"{name}-1024")
        self.page.set_viewport_size(size)
        self.light(before)


@cache
def _axe() -> str:
    path = ROOT / "console/node_modules/axe-core/axe.min.js"
    assert path.is_file(), f"{path} is missing: run 'npm ci' in console/."
    return path.read_text("utf-8")


def _small(data: bytes) -> bytes:
    """The same picture with at most 256 colours, a third of the size: the documentation keeps dozens of them."""
    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
