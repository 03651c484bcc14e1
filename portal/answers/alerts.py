"""Owns the answers about alerts, for API and pages alike: which are open, which silence holds for one, what changed of
a tenant, and the acknowledgement."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from licensing.alerts.silence import heard_from
from portal.alerts import OVER_FOR, by_gravity, place_of
from portal.answers.context import Context
from portal.pagination import decode_cursor, encode_cursor
from portal.problems import Problem
from schemas.alert import Alert, AlertLevel, AlertRule, AlertState, Delivery
from schemas.times import AwareTime, format_time, from_ms, to_ms

MOST_CHANGES = 1_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are asked for; all conditions hold for each that is found."""

    state: AlertState | None = "firing"
    """None = also those that are over since a short time."""
    rule: AlertRule | None = None
    level: AlertLevel | None = None
    search: str = ""
    """In tenant id or display name, in any case."""
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Alerts of one page, how many are found in all, and where the next page begins."""

    alerts: list[Alert]
    total: int
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A change of an alert, and what became of its telling by channel."""

    alert: Alert
    deliveries: list[Delivery]


def find_alerts(context: Context, wanted: Wanted, sees: Callable[[str], bool], limit: int, cursor: str | None) -> Page:
    """Return a page of the alerts that are wanted, of tenants that `sees` lets through; the gravest first. Raises
    Problem 422 for a cursor that this list did not give."""
    after = decode_cursor(cursor, tuple[int, AwareTime, str, str])
    found = by_gravity(_known(context, wanted, sees))
    rest = [alert for alert in found if after is None or place_of(alert) > after]
    here = rest[:limit]
    following = None
    if len(rest) > limit:
        level, since, *last = place_of(here[-1])
        following = encode_cursor(level, format_time(since), *last)
    return Page(here, len(found), following)


def number_open(context: Context, sees: Callable[[str], bool]) -> int:
    """Return how many alerts are open of the tenants that `sees` lets through."""
    return sum(1 for _ in _known(context, Wanted(), sees))


def open_of(context: Context, tenant: str) -> list[Alert]:
    """Return the open alerts of a tenant, the gravest first."""
    return [alert for alert in context.services.alerts.of(tenant) if alert.state == "firing"]


def _known(context: Context, wanted: Wanted, sees: Callable[[str], bool]) -> Iterator[Alert]:
    alerts, text, over_since = context.services.alerts, wanted.search.casefold(), context.now() - OVER_FOR
    for alert in alerts.newest() if wanted.tenant is None else alerts.of(wanted.tenant):
        tenant = alert.tenant
        if not sees(tenant) or not context.exists(tenant) or wanted.state not in (None, alert.state):
            continue
        if alert.state == "resolved" and alert.at < over_since:
            continue
        if wanted.rule not in (None, alert.rule) or wanted.level not in (None, alert.level):
            continue
        if text and text not in tenant and text not in (context.settings_of(tenant).display_name or "").casefold():
            continue
        yield alert


def silenced_until(context: Context, alert: Alert) -> datetime | None:
    """Return the end of the silences in which nobody is told of an open alert now; None outside of them."""
    now = to_ms(context.now())
    heard = heard_from(context.limits_of(alert.tenant), alert.rule, now)
    return from_ms(heard) if heard > now and alert.state == "firing" else None


def read_changes(
    context: Context, tenant: str, start: datetime, end: datetime, state: AlertState | None,
    after: tuple[datetime, str] | None, limit: int,
) -> list[Told]:  # fmt: skip
    """Return changes of a tenant's alerts in [start, end), newest first; it asks the store, so it belongs in `read`."""
    store = context.services.store
    found = store.alert_changes(tenant, start, end, state, after, limit)
    told = store.deliveries(tenant, [alert.id for alert in found]) if found else []
    return [Told(alert, [each for each in told if each.id == alert.id]) for alert in found]


async def acknowledge(context: Context, tenant: str, rule: AlertRule, by: str) -> Alert:
    """Note that somebody has seen an open alert, and return it. Raises Problem 409 where none is open, and
    ServiceError."""
    alert = context.services.alerts.open_of(tenant, rule)
    if alert is None:
        raise Problem(
            409,
            f"{tenant} has no open alert of the rule {rule}: it may have resolved meanwhile;"
            f" GET /api/v1/tenants/{tenant}/alerts shows what is open",
        )
    answer = await context.services.acknowledgements.acknowledge(tenant, rule, by)
    if answer.status != "done":
        raise Problem(409, answer.detail)
    return (context.services.alerts.open_of(tenant, rule) or alert).model_copy(update={"acknowledged_by": by})
