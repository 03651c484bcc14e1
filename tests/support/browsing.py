"""What the browser tests do with a page: open it and wait until it is live, watch what it asks for, judge it by axe."""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, ViewportSize, WebSocket

from tests.support.ports import HOST

Theme = Literal["light", "dark"]
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
ZONE = "America/New_York"
"""The zone of the viewer: not UTC, so that a time that was not converted is seen."""
GRAVE = ("serious", "critical")


@dataclass
class Watch:
    """Records what the pages of a test ask for and complain about. `expected`: patterns of complaints that are meant,
    such as the 404 that Chromium reports of a page that says 404."""

    expected: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch all pages of a context."""
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(f"exception: {error.error}"))
        context.on("page", lambda page: page.on("websocket", self._socket))

    def _request(self, request: Request) -> None:
        self._asked(request.url)

    def _socket(self, socket: WebSocket) -> None:
        self._asked(socket.url)

    def _asked(self, url: str) -> None:
        asked = urlsplit(url)
        if asked.scheme not in ("data", "blob", "about") and asked.hostname != HOST:
            self.left.append(url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def unexpected(self) -> list[str]:
        """Return the complaints that no test expected."""
        return [said for said in self.complaints if not any(re.search(one, said) for one in self.expected)]


def wait_until_live(page: Page) -> None:
    """Wait until the page's socket stands: from then on it moves by itself, and its controls do something."""
    page.wait_for_function("window.did_handshake === true")


def grave_findings(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical: the rule, why, and the element."""
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:200]} -- {node['failureSummary']}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in GRAVE
        for node in found["nodes"]
    ]


def overflow_px(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    found: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return found


_CONTROLS = """() => {
    const controls = document.querySelectorAll(
        "a[href], button, input, select, textarea, [role=checkbox], [role=combobox], [role=tab], [role=radio]");
    return [...controls].filter((one) =>
        !one.disabled && one.ariaDisabled !== "true" && one.checkVisibility({ visibilityProperty: true })
        && one.getBoundingClientRect().width > 0 && !one.closest("[aria-hidden=true]")
        // what Quasar nests in a control of its own is reached as that control
        && !one.parentElement.closest("[role=checkbox], [role=combobox], button"));
}"""
_MARK = f"() => ({_CONTROLS})().map((one, n) => (one.dataset.control = n, one.outerHTML.slice(0, 160)))"
_AT = """() => {
    const one = document.activeElement, ring = (of) => {
        const style = getComputedStyle(of);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    };
    const around = one.closest(".q-field__control") ?? one;
    const control = one.closest("[data-control]") ?? one.querySelector("[data-control]");
    return { control: control?.dataset.control, html: one.outerHTML.slice(0, 160),
             end: one === document.body, shown: ring(one) || ring(around) };
}"""
_MOST_STOPS = 400


def unreached_by_keyboard(page: Page) -> list[str]:
    """Press Tab through the page; return the visible controls that were not met, and the stops that show no focus."""
    controls: list[str] = page.evaluate(_MARK)
    met, unseen = set(), []
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        at = page.evaluate(_AT)
        if at["end"]:
            break
        met.add(at["control"])
        if not at["shown"]:
            unseen.append(f"shows no focus: {at['html']}")
    return [f"not reached: {html}" for n, html in enumerate(controls) if str(n) not in met] + unseen
