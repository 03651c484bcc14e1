"""Owns the silences of a tenant's alerts: which hold or will, how one is added, and how one ends. They are settings,
and a list of settings is replaced whole: each change is made for a revision and made again where somebody was first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal

import pydantic

from portal.access.principals import Principal
from portal.answers.context import Context
from portal.answers.settings_changes import change_settings, newer
from portal.problems import Problem, refusal_of
from schemas.settings import Silence

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Held:
    """A silence, and whose it is: the provider's holds for every tenant."""

    id: str
    scope: Literal["tenant", "provider"]
    silence: Silence


def silence_id(silence: Silence) -> str:
    """Return the id of a silence: it has none in the settings, so it is made from all that it says."""
    return blake2b(silence.model_dump_json().encode(), digest_size=8).hexdigest()


def silences_of(context: Context, tenant: str) -> list[Held]:
    """Return the silences that hold for a tenant now or later, the tenant's own first."""
    own, provider = context.settings_of(tenant).alerts.silences, context.services.live.provider().alerts.silences
    found = [Held(silence_id(each), "tenant", each) for each in own or []]
    found += [Held(silence_id(each), "provider", each) for each in provider or []]
    now = context.now()
    return [held for held in found if held.silence.until > now]


async def add_silence(context: Context, principal: Principal, tenant: str, body: Any, by: str) -> Held:
    """Add a silence to a tenant's own. Raises Problem 404, 422, and ServiceError."""
    silence = checked_silence(body, context.now())

    def added(silences: Sequence[Silence]) -> list[Silence]:
        return [*(each for each in silences if each != silence), silence]

    await _replace(context, principal, tenant, added, by)
    return Held(silence_id(silence), "tenant", silence)


async def end_silences(
    context: Context, principal: Principal, tenant: str, ends: Callable[[Silence], bool], by: str
) -> None:
    """Take out of a tenant's own silences those that are to end. Raises Problem 404 where there is none, and
    ServiceError."""

    def kept(silences: Sequence[Silence]) -> list[Silence]:
        left = [each for each in silences if not ends(each)]
        if len(left) == len(silences):
            raise Problem(
                404,
                f"{tenant} has no such silence of its own, or it has ended: GET /api/v1/tenants/{tenant}/alerts lists"
                " those that hold; one of the provider is a setting of the provider",
            )
        return left

    await _replace(context, principal, tenant, kept, by)


def checked_silence(body: Any, now: datetime) -> Silence:
    """Return the silence that a body asks for. Raises Problem 422 with a sentence a mistake."""
    try:
        silence = Silence.model_validate(body)
    except pydantic.ValidationError as error:
        raise refusal_of(error) from error
    if silence.until <= max(now, silence.since or now):
        raise Problem(422, "until: the silence would be over before it begins; give a later end")
    return silence


async def _replace(
    context: Context, principal: Principal, tenant: str, new: Callable[[Sequence[Silence]], list[Silence]], by: str
) -> None:
    for _ in range(_ATTEMPTS):
        settings, now = context.settings_of(tenant), context.now()
        # Those that are over go along: nobody takes them out by hand, and there is a most of them.
        silences = [each for each in new(settings.alerts.silences or []) if each.until > now]
        body = {"alerts": {"silences": [each.model_dump(mode="json") for each in silences] or None}}
        try:
            made = await change_settings(context, principal, tenant, "patch", body, settings.revision, by)
        except Problem as problem:
            if problem.status != 412:
                raise
            await newer(lambda: context.settings_of(tenant), settings.revision)
        else:
            await newer(lambda: context.settings_of(tenant), made["revision"] - 1)
            return
    raise Problem(503, f"the settings of {tenant} are changed by others all the time: send it again")
