"""Owns the frame of every page: title, navigation, colours, and what a screen reader needs to find its way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import Request
from nicegui import ui

from portal.access.gate import principal_of
from portal.access.principals import Principal
from portal.answers.alerts import number_open
from portal.web.frame.visit import THEME_COOKIE, Theme, Visit, follow_alerts, theme_of
from portal.web.pieces.text import Text, heading

_CSS = Path(__file__).with_name("site.css").read_text("utf-8")
_PRIMARY = "#1b5a9e"
_POSITIVE, _NEGATIVE = "#116329", "#b42318"  # messages: white on Quasar's own can hardly be read
_CONTENT = "content"
_TABS = (
    ("License Audit", "/tenants/{}"),
    ("History", "/tenants/{}/history"),
    ("Seats", "/tenants/{}/seats"),
    ("What-if", "/tenants/{}/what-if"),
    ("Settings", "/tenants/{}/settings"),
    ("Changes", "/tenants/{}/changes"),
    ("Alerts", "/alerts?tenant={}"),
)
_COUNT_EVERY_S = 2.0


_THEMES: dict[Theme, bool | None] = {"auto": None, "dark": True, "light": False}


@contextmanager
def page(here: Visit, title: str) -> Iterator[None]:
    """Frame a page of all tenants; its content goes inside."""
    with _frame(title, here.principal, here.theme, here):
        heading(title, 1)
        yield


@contextmanager
def error_page(request: Request, title: str) -> Iterator[None]:
    """Frame what is shown instead of a page, to whomever asks."""
    with _frame(title, principal_of(request), theme_of(request)):
        heading(title, 1)
        yield


@contextmanager
def tenant_page(here: Visit, tenant: str, title: str) -> Iterator[None]:
    """Frame a page of one tenant, with the way to its other pages. `title` is that of one of the tabs, or of a page
    below one."""
    name = here.context.settings_of(tenant).display_name or tenant
    with _frame(f"{title} · {name}", here.principal, here.theme, here):
        with ui.element("div"):
            heading(name, 1)
            if name != tenant:
                Text("div", tenant).classes("faint")
        with ui.element("nav").classes("tabs").props(f'aria-label="Pages of {tenant}"'):
            for tab, path in _TABS:
                link = ui.link(tab, path.format(tenant))
                if tab == title:
                    link.props("aria-current=page")
        yield


@contextmanager
def _frame(title: str, principal: Principal | None, theme: Theme, here: Visit | None = None) -> Iterator[None]:
    ui.page_title(f"{title} · Poolwatch")
    ui.colors(primary=_PRIMARY, positive=_POSITIVE, negative=_NEGATIVE)
    # Not ui.add_css, by which a page would stand bare until its scripts have run.
    ui.add_head_html(f"<style>{_CSS}</style>")
    ui.on_exception(_tell_of_a_failure)
    # What NiceGUI shows while the connection is lost is read to nobody otherwise.
    ui.run_javascript('document.getElementById("popup").setAttribute("role", "alert")')
    with ui.header():
        Text("a", "Skip to content").props(f'href="#{_CONTENT}"').classes("skip")
        ui.link("Poolwatch", "/").classes("text-white text-weight-bold").style("text-decoration: none")
        with ui.element("nav").props('aria-label="Main"').classes("line"):
            alerts = ui.link("Alerts", "/alerts").classes("text-white whole")
            if here is not None:
                _count_open(here, alerts)
            ui.link("Sources", "/sync").classes("text-white")
            if principal is not None and principal.is_provider:
                ui.link("Defaults", "/provider/settings").classes("text-white")
        ui.space()
        if principal is not None:
            ui.label(principal.name).props('data-testid="principal"')
            if principal.until is not None:
                _sign_out()
        _theme_switch(theme)
    # Not a <main> of its own: Quasar's page around it is one.
    with ui.element("div").classes("page column").props(f'id="{_CONTENT}" tabindex=-1'):
        yield


def _count_open(here: Visit, link: ui.link) -> None:
    """Keep the number of open alerts beside the link to them."""

    def show(_: object = None) -> None:
        number = number_open(here.context, here.principal.sees)
        link.set_text(f"Alerts ({number:,})" if number else "Alerts")

    show()
    follow_alerts(here, None, show, _COUNT_EVERY_S)


def _tell_of_a_failure() -> None:
    ui.notify("That failed. Load the page again; the log of Poolwatch has the reason.", type="negative")


def _sign_out() -> None:
    # A form and no click that the server hears: the answer takes the cookie away.
    with ui.element("form").props("method=post action=/auth/logout"):
        ui.button("Sign out").props("flat dense color=white type=submit")


def _theme_switch(chosen: Theme) -> None:
    dark = ui.dark_mode(_THEMES[chosen])

    def switch() -> None:
        following = list(_THEMES)[(list(_THEMES.values()).index(dark.value) + 1) % len(_THEMES)]
        dark.set_value(_THEMES[following])
        button.props(f'aria-label="Colours: {following}"')
        ui.run_javascript(f'document.cookie = "{THEME_COOKIE}={following}; path=/; max-age=31536000; SameSite=Lax"')

    button = ui.button(icon="contrast", on_click=switch).props(f'flat color=white aria-label="Colours: {chosen}"')
