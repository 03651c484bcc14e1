"""Owns the pages of settings: those of a tenant, and the provider's defaults."""

from fastapi import HTTPException, Request
from nicegui import ui

from portal.web.frame import shell
from portal.web.frame.visit import Visit, visit, visit_of
from portal.web.pieces.setting_fields import (
    GraphField,
    OneField,
    choice_field,
    lines_field,
    number_field,
    switch_field,
    text_field,
)
from portal.web.pieces.setting_words import CRITERIA_DEFAULTS, SERVICE_TYPES, SETTINGS
from portal.web.pieces.silence_field import SilencesField
from portal.web.pieces.text import Text, heading, tag
from portal.web.settings.settings_form import SettingsForm
from portal.web.settings.tenant_removal import removal
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import DEFAULT_ALERTS, DEFAULT_STALE_AFTER_S, AlertSettings, ProviderSettings

_SWITCHES = ("lifecycle", "user_interface", "service_number")
_LIMITS = (
    "warning_percent", "critical_percent", "clear_percent", "warning_available", "critical_available", "dwell_s",
    "grace_percent", "grace_days", "forecast_days", "remind_after_s",
)  # fmt: skip
_NO_DEFAULT = {"clear_percent": "2 points below the limit"}


@ui.page("/tenants/{tenant}/settings")
async def settings(request: Request, tenant: str) -> None:
    """Settings of a tenant."""
    here = visit_of(request, tenant)
    may, provider = here.may_change(tenant), here.context.services.live.provider()
    with shell.tenant_page(here, tenant, "Settings"):
        form = SettingsForm(here, tenant, lambda: here.context.settings_of(tenant), may)
        with _section("Tenant"):
            form.add(
                text_field("display_name"),
                number_field("acquired_licenses", "The pool; empty = not known"),
                choice_field("service_type", SERVICE_TYPES, "Says which factors exist"),
            )
        with _section("License factors"):
            switches = [switch_field(f"factors.{name}", _is_on(provider, name)) for name in _SWITCHES]
            form.add(*switches)
        if may:
            with tag("div"):
                ui.button("Restore provider defaults", on_click=lambda: _restore(switches)).props("flat dense")
        with _section("Identity"):
            form.add(
                lines_field("gateways", "Host names, one a line"),
                text_field("ms_tenant_id"),
                text_field("customer_guid"),
            )
        _criteria(here, tenant, may)
        with _section("Microsoft Graph"):
            graph = GraphField()
            form.add(graph)
        with _section("Alerts and freshness"):
            form.add(*_limits(provider.alerts, "provider's default"))
            form.add(number_field("stale_after_s", f"Default: {provider.stale_after_s or DEFAULT_STALE_AFTER_S}"))
        _silences(here, form, "The provider's silences hold beside these.")
        form.begin()
        if here.principal.changes_provider:
            removal(here, tenant)


@ui.page("/provider/settings")
async def provider_settings(request: Request) -> None:
    """Defaults of the provider."""
    here = visit(request)
    here.require_ready()
    if not here.principal.is_provider:
        raise HTTPException(403, "the provider's defaults are for people of the provider")
    with shell.page(here, "Provider defaults"):
        Text("p", "They hold for every tenant that sets nothing of its own.").classes("faint")
        form = SettingsForm(here, PROVIDER_KEY, here.context.services.live.provider, here.principal.changes_provider)
        with _section("License factors"):
            form.add(*(switch_field(f"factors.{name}", default=True) for name in _SWITCHES))
        with _section("Alerts and freshness"):
            form.add(*_limits(AlertSettings(), "default"))
            form.add(number_field("stale_after_s", f"Default: {DEFAULT_STALE_AFTER_S}"))
        _silences(here, form, "They hold for every tenant: planned maintenance, for one.")
        form.begin()


def _section(title: str) -> ui.element:
    heading(title)
    return ui.element("div").classes("settings").props(f'role=group aria-label="{title}"')


def _is_on(provider: ProviderSettings, name: str) -> bool:
    return getattr(provider.factors, name) is not False


def _limits(provider: AlertSettings, whose: str) -> list[OneField]:
    fields = []
    for name in _LIMITS:
        own, built_in = getattr(provider, name), getattr(DEFAULT_ALERTS, name)
        default = own if own is not None else built_in
        shown = _NO_DEFAULT.get(name, "none") if default is None else f"{default:g}"
        fields.append(number_field(f"alerts.{name}", f"{whose.capitalize()}: {shown}"))
    told = ", ".join(provider.channels) if provider.channels is not None else "all that serve the tenant"
    hint = f"Names, one a line. {whose.capitalize()}: {told}"
    return [*fields, lines_field("alerts.channels", hint, or_none=True)]


def _silences(here: Visit, form: SettingsForm, note: str) -> None:
    heading("Silences")
    Text("p", f"Alerts are raised and kept, and nobody is told of them until a silence ends. {note}").classes("faint")
    form.add(SilencesField(here.context.now))


def _restore(switches: list[OneField]) -> None:
    for switch in switches:
        switch.show(None)


def _criteria(here: Visit, tenant: str, may: bool) -> None:
    """Show the criteria. They are changed where it is seen whom that moves."""
    heading("Criteria")
    own = here.context.settings_of(tenant).criteria.model_dump()
    with tag("dl").classes("facts criteria"):
        for name, default in CRITERIA_DEFAULTS.items():
            Text("dt", SETTINGS[f"criteria.{name}"])
            with tag("dd"):
                Text("code" if own[name] else "span", own[name] or f"Default: {default}")
    if may:
        ui.link("Try other criteria, or the defaults, in What-if, and apply them there", f"/tenants/{tenant}/what-if")
