"""Owns what the body of a what-if must be, and the settings that it makes of those there are."""

from typing import Any

from portal.answers.settings_bodies import check_patch, check_put
from portal.problems import Problem
from schemas.merge_patch import merge
from schemas.settings import STAMPS, TenantSettings

TRIED_SETTINGS = ("factors", "criteria", "gateways", "service_type", "acquired_licenses")
"""What can be tried; nothing else moves a count."""


def tried_settings(settings: TenantSettings, body: Any) -> TenantSettings:
    """Return the settings as they would be. Raises Problem 422 with a sentence a mistake, and for a pattern that RE2
    refuses."""
    if not isinstance(body, dict):
        raise Problem(422, f"a what-if is a JSON object, not {type(body).__name__}: send the settings to try")
    unknown = sorted(body.keys() - set(TRIED_SETTINGS))
    if unknown:
        raise Problem(
            422,
            f"{', '.join(unknown)[:200]}: nothing that a what-if tries, which is {', '.join(TRIED_SETTINGS)};"
            " absent = as it is, null = default",
        )
    patch = check_patch(settings.tenant, body)
    known = settings.model_dump(mode="json")
    # Once more as a whole: a pattern that is sound alone may not be with the gateways there are.
    check_put(settings.tenant, merge(known, patch))
    stamps = {name: known[name] for name in ("tenant", *STAMPS)}
    return TenantSettings.model_validate(merge(known, patch) | stamps)
