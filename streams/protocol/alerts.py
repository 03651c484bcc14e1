"""Owns the alerts of one partition's tenants: counts, settings and commands in, changes of alerts and what is to be
told out. It knows no broker; time is passed in.

A count is taken at the instant at which it was computed, and what a dwell brings about gets the instant at which it
ended. So what is raised, and when, follows from the counts alone: not from when this process looked, nor from how
often it was killed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import is_not

import msgspec

from licensing.alerts.levels import Reading
from licensing.alerts.limits import alert_limits
from licensing.alerts.readings import Found, readings
from licensing.alerts.silence import heard_from
from licensing.alerts.telling import Occasion, alert_of
from licensing.alerts.triggers import Open, RuleState, next_turn, observe, turn
from schemas.alert import AlertChange, AlertRule
from schemas.commands import AcknowledgeAlert, Answer, Finding
from schemas.count import Count
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import AlertSettings, ProviderSettings, TenantSettings
from schemas.times import to_ms
from streams.protocol.alert_state import AlertState, Pending, Untold
from streams.protocol.settings_book import SettingsBook

ChannelsOf = Callable[[str, AlertSettings], Sequence[str]]
"""Which channels are told of a tenant's alerts."""


@dataclass(slots=True)
class _Tenant:
    state: AlertState
    count: Count | None = None
    limits: AlertSettings | None = None
    """What holds by the settings that were taken last; another one is taken by `settings_changed`."""
    limits_of: tuple[TenantSettings, ProviderSettings] | None = None
    """The settings that the limits were made of: making them costs more than all the rest."""
    read: Sequence[Reading] = ()
    read_at: int = 0
    """When they were taken; nothing that follows from them is dated before."""
    next_at: int | None = None
    """When something comes about by itself."""
    written: bytes = b""
    """What of the state matters, as it was written last."""


class AlertPartition:
    """The alerts of the tenants whose counts lie in one partition. `epoch` is that of its claim on alert-state."""

    def __init__(self, book: SettingsBook, channels_of: ChannelsOf) -> None:
        self.book = book
        self.epoch = 0
        self._channels_of = channels_of
        self._tenants: dict[str, _Tenant] = {}
        self._touched: set[str] = set()

    def continue_from(self, state: AlertState) -> bool:
        """Take a state written earlier; return whether it is not older than what is known."""
        known = self._tenants.get(state.tenant)
        if known is not None and (state.epoch, state.seq) < (known.state.epoch, known.state.seq):
            return False
        self._tenants[state.tenant] = _Tenant(state, written=_matter(state))
        return True

    def drop(self, tenant: str) -> None:
        """Take the deletion of a state that was written earlier."""
        self._tenants.pop(tenant, None)

    def state(self, tenant: str) -> AlertState | None:
        """Return what is kept of a tenant, None where nothing is."""
        known = self._tenants.get(tenant)
        return known.state if known is not None else None

    def forget(self, tenant: str) -> None:
        """Forget a purged tenant."""
        known = self._tenants.pop(tenant, None)
        if known is not None:
            self._touched.add(tenant)

    def recall(self, count: Count) -> None:
        """Take a count that was taken before a start: it tells how things stand, and nothing follows from it."""
        tenant = self._tenant(count.tenant)
        if tenant.count is None or _place(count) > _place(tenant.count):
            tenant.state.count = max(_place(count), tenant.state.count)
            self._take(tenant, count)

    def observe(self, count: Count, now: int) -> None:
        """Take a count; from one that was taken before a start nothing follows."""
        tenant = self._tenant(count.tenant)
        if _place(count) <= tenant.state.count:
            self.recall(count)
            return
        self._judge(tenant, count, _instant(tenant, count.computed_at, now))

    def settings_changed(self, name: str, now: int) -> None:
        """Take note that the book has new settings of a tenant, or (`_provider`) of the provider."""
        for tenant in list(self._tenants.values()) if name == PROVIDER_KEY else [self._tenants.get(name)]:
            if tenant is not None and tenant.count is not None:
                self._judge(tenant, tenant.count, max(tenant.state.at, now))

    def found(self, finding: Finding, now: int) -> None:
        """Take what a look at the stored facts has found, in place of what it found before."""
        tenant = self._tenant(finding.tenant)
        if finding.value is None:
            tenant.state.found.pop(finding.rule, None)
        else:
            tenant.state.found[finding.rule] = Found(finding.value, finding.detail)
        self._touched.add(finding.tenant)
        if tenant.count is not None:
            self._judge(tenant, tenant.count, _instant(tenant, finding.sent_at, now))

    def acknowledge(self, command: AcknowledgeAlert, now: int) -> Answer:
        """Note that a person has seen an open alert; the answer says `invalid` where there is none."""
        tenant = self._tenants.get(command.tenant)
        kept = tenant.state.rules.get(command.rule) if tenant is not None and tenant.count is not None else None
        if tenant is None or kept is None or kept.open is None:
            said = f"{command.tenant} has no open alert of the rule {command.rule}: it may have resolved meanwhile"
            return Answer(id=command.id, tenant=command.tenant, status="invalid", detail=said)
        if to_ms(command.sent_at) < kept.open.risen:  # also one that is read again after a crash
            said = f"the alert {command.rule} of {command.tenant} has become another since: look at it once more"
            return Answer(id=command.id, tenant=command.tenant, status="invalid", detail=said)
        if kept.open.acknowledged_by != command.by:
            kept.open.acknowledged_by = command.by
            reading = next(reading for reading in tenant.read if reading.rule == command.rule)
            self._tell(tenant, kept.open, reading, _instant(tenant, command.sent_at, now), "acknowledged")
            self._plan(tenant)
        return Answer(id=command.id, tenant=command.tenant, status="done")

    def advance(self, now: int) -> None:
        """Let time pass: dwells end, reminders come."""
        for tenant in self._tenants.values():
            if tenant.next_at is not None and tenant.next_at <= now:
                self._advance(tenant, now)

    def next_instant(self) -> int | None:
        """Return when something comes about by itself."""
        instants = (tenant.next_at for tenant in self._tenants.values())
        return min((instant for instant in instants if instant is not None), default=None)

    def take_changed(self) -> list[str]:
        """Return the tenants whose state must be written, none where nothing that matters has changed."""
        names, self._touched = self._touched, set()
        return sorted(name for name in names if self._must_be_written(name))

    def _must_be_written(self, name: str) -> bool:
        tenant = self._tenants.get(name)
        if tenant is None:
            return True
        now = _matter(tenant.state)
        if now == tenant.written:
            return False
        tenant.written = now
        tenant.state.epoch, tenant.state.seq = self.epoch, tenant.state.seq + 1
        return True

    def touch(self, tenant: str) -> None:
        """Note that something of a tenant's state was changed from outside: its outbox."""
        self._touched.add(tenant)

    def tenants(self) -> Iterable[AlertState]:
        """Yield what is kept of each tenant."""
        return (tenant.state for tenant in list(self._tenants.values()))

    def display_name(self, tenant: str) -> str | None:
        """Return how a tenant is called."""
        return self.book.rules_of(tenant).settings.display_name

    def _tenant(self, name: str) -> _Tenant:
        return self._tenants.setdefault(name, _Tenant(AlertState(name, self.epoch)))

    def _judge(self, tenant: _Tenant, count: Count, at: int) -> None:
        """Let time pass up to an instant, and hold what is read by then against what holds."""
        self._advance(tenant, at - 1)  # what ends at this very instant has not lasted
        tenant.state.count = max(_place(count), tenant.state.count)
        self._take(tenant, count)
        self._read(tenant, at)

    def _take(self, tenant: _Tenant, count: Count) -> None:
        rules = self.book.rules_of(count.tenant)
        made_of = (rules.settings, self.book.provider)
        if tenant.limits is None or tenant.limits_of is None or any(map(is_not, made_of, tenant.limits_of)):
            tenant.limits_of, tenant.limits = made_of, alert_limits(*made_of)
        tenant.count, tenant.read = count, readings(count, tenant.limits, tenant.state.found, removed=rules.removed)
        self._plan(tenant)

    def _read(self, tenant: _Tenant, at: int) -> None:
        """Hold the newest readings against what holds."""
        rules = tenant.state.rules
        for reading in tenant.read:
            kept = rules.get(reading.rule)
            if kept is None:
                if not any(step.entered for step in reading.steps):
                    continue
                kept = rules[reading.rule] = RuleState(key=reading.key)
            observe(kept, reading, at)
        tenant.read_at = at
        self._advance(tenant, at)
        self._touched.add(tenant.state.tenant)

    def _advance(self, tenant: _Tenant, to: int) -> None:
        tenant.state.at = max(tenant.state.at, to)
        for reading in tenant.read:
            kept = tenant.state.rules.get(reading.rule)
            if kept is None:
                continue
            while (instant := self._next_of(tenant, reading)) is not None and instant <= to:
                self._touched.add(tenant.state.tenant)
                self._pass(tenant, reading, kept, instant)
            if kept.is_idle:
                del tenant.state.rules[reading.rule]
        self._plan(tenant)

    def _plan(self, tenant: _Tenant) -> None:
        instants = [instant for reading in tenant.read if (instant := self._next_of(tenant, reading)) is not None]
        tenant.next_at = min(instants, default=None)

    def _pass(self, tenant: _Tenant, reading: Reading, kept: RuleState, instant: int) -> None:
        before = kept.open
        turned = next_turn(kept, reading)
        if turned is not None and turned <= instant:
            for at, change in turn(kept, reading, instant):
                self._tell(tenant, kept.open or before, reading, at, change)
        elif kept.open is not None:
            self._tell(tenant, kept.open, reading, max(instant, tenant.read_at), "reminded")

    def _next_of(self, tenant: _Tenant, reading: Reading) -> int | None:
        kept = tenant.state.rules.get(reading.rule)
        if kept is None:
            return None
        instants = [next_turn(kept, reading), self._reminder(tenant, reading.rule, kept.open)]
        return min((instant for instant in instants if instant is not None), default=None)

    def _reminder(self, tenant: _Tenant, rule: AlertRule, kept: Open | None) -> int | None:
        """Return when people are told again, or for the first time after a silence."""
        assert tenant.limits is not None
        if kept is None or kept.acknowledged_by is not None:
            return None
        wait = tenant.limits.remind_after_s or 0
        if not kept.unsaid and not wait:
            return None
        return heard_from(tenant.limits, rule, kept.told + (0 if kept.unsaid else wait * 1_000))

    def _tell(self, tenant: _Tenant, kept: Open | None, reading: Reading, at: int, change: AlertChange) -> None:
        """Put a change into the outbox. In a silence nobody is told, but that what they were told of is over."""
        assert kept is not None
        assert tenant.limits is not None
        silent = heard_from(tenant.limits, reading.rule, at) > at
        if change in ("raised", "escalated", "lowered", "reminded"):
            heard = not silent
            kept.told, kept.unsaid, kept.known = at, silent, kept.known or heard
        else:
            heard = change == "resolved" and kept.known
        rules = self.book.rules_of(tenant.state.tenant)
        occasion = Occasion(tenant.state.tenant, tenant.state.count, rules.revision, rules.removed)
        alert = alert_of(occasion, reading, kept, change, at)
        channels = self._channels_of(alert.tenant, tenant.limits) if heard else ()
        value = msgspec.Raw(alert.model_dump_json().encode())
        tenant.state.outbox.append(Untold(value, alert.id, channels={name: Pending() for name in channels}))
        self._touched.add(alert.tenant)


def _instant(tenant: _Tenant, said: datetime, now: int) -> int:
    """Return when something came about that says so itself: not ahead of the clock, nor before what was judged."""
    return max(tenant.state.at, min(to_ms(said), now))


def _place(count: Count) -> tuple[int, int]:
    return count.epoch, count.version


def _matter(state: AlertState) -> bytes:
    """Return what of a state must survive: not how far time and counts have gone while nothing came of them."""
    return b"" if state.is_idle else msgspec.json.encode((state.rules, state.found, state.outbox))
