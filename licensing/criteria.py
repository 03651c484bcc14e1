"""Owns the three criteria of a tenant (LICENSE-FACTORS §4): placeholders filled, compiled with RE2, answers kept."""

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import msgspec
import re2

from schemas.settings import Criteria, TenantSettings

RULES_VERSION = 1
"""Raise it whenever a profile may come out differently for the same facts and criteria: it makes meters re-evaluate."""

_MAX_PATTERN = 1_000
_NOTHING = r"[^\x00-\x{10FFFF}]"
"""Matches no character: what a placeholder without a value becomes."""
_CACHE_LIMIT = 10_000

_CUSTOMER = re.compile("_?UMPCUSTOMERGUID_TO_REPLACE_?")
_MS_TENANT = re.compile("_?MSTENANTID_TO_REPLACE_?")
_GATEWAY = re.compile("_?PSTNGATEWAY_TO_REPLACE_?")

DEFAULT_GATEWAY = "(?i)_PSTNGATEWAY_TO_REPLACE_"
DEFAULT_DR_NUMBERS = "(?i)(^_MSTENANTID_TO_REPLACE_$)|(^_UMPCUSTOMERGUID_TO_REPLACE_$)|(_PSTNGATEWAY_TO_REPLACE_)"


class PatternError(ValueError):
    """A criterion that RE2 refuses or that is too long; the text says which and why."""


class Matcher:
    """One criterion: a search with any of its patterns. Answers are kept, for a tenant has few gateways and tags."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [_compile(pattern) for pattern in dict.fromkeys(patterns)]
        self._known: dict[str, bool] = {}

    def __call__(self, text: str) -> bool:
        """Tell whether any pattern is found anywhere in the text."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _CACHE_LIMIT:
                self._known.clear()
            known = self._known[text] = any(pattern.search(text) is not None for pattern in self._patterns)
        return known


class CompiledCriteria:
    """The criteria of one tenant, ready to be asked.

    `gateway` and `reject` are None where the criterion is not applied: no gateway criterion for a tenant without
    gateways and without a criterion of its own, no rejection by default.
    """

    def __init__(self, settings: TenantSettings) -> None:
        criteria = settings.criteria
        self.fingerprint = fingerprint(settings)
        self.gateway: Matcher | None = None
        self.reject: Matcher | None = None
        if criteria.licensed_users_by_gateway:
            self.gateway = _matcher("licensed_users_by_gateway", criteria.licensed_users_by_gateway, settings)
        elif settings.gateways:
            self.gateway = _matcher("licensed_users_by_gateway", DEFAULT_GATEWAY, settings)
        self.dr_numbers = _matcher("dr_numbers", criteria.dr_numbers or DEFAULT_DR_NUMBERS, settings)
        if criteria.reject_service_numbers:
            self.reject = _matcher("reject_service_numbers", criteria.reject_service_numbers, settings)

    @property
    def no_gateways(self) -> bool:
        """The count carries the hint `no_gateways`: number types alone decide about Direct Routing."""
        return self.gateway is None


def compile_criteria(settings: TenantSettings) -> CompiledCriteria:
    """Compile the criteria of a tenant. Raises PatternError with a sentence for a pattern that cannot be used."""
    return _compiled(settings.model_copy(update=_IRRELEVANT).model_dump_json())


_IRRELEVANT = {
    "revision": 0,
    "updated_at": None,
    "updated_by": None,
    "removed_at": None,
    "acquired_licenses": None,
    "display_name": None,
}


@lru_cache(maxsize=4_096)
def _compiled(settings_json: str) -> CompiledCriteria:
    return CompiledCriteria(TenantSettings.model_validate_json(settings_json, extra="ignore"))


def fingerprint(settings: TenantSettings) -> str:
    """Return 16 hex digits that change whenever profiles may: rules version, criteria, gateways and the two GUIDs."""
    parts = (
        str(RULES_VERSION),
        *(getattr(settings.criteria, name) or "" for name in Criteria.model_fields),
        settings.customer_guid or "",
        settings.ms_tenant_id or "",
        *sorted(settings.gateways),
    )
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def fill(pattern: str, settings: TenantSettings) -> list[str]:
    """Fill the placeholders with quoted values, once for each gateway; one without a value matches nothing."""
    pattern = _CUSTOMER.sub(_literal(settings.customer_guid), pattern)
    pattern = _MS_TENANT.sub(_literal(settings.ms_tenant_id), pattern)
    if not _GATEWAY.search(pattern):
        return [pattern]
    return [_GATEWAY.sub(_literal(gateway), pattern) for gateway in settings.gateways or [""]]


def _literal(value: str | None) -> Callable[[re.Match[str]], str]:
    quoted = re2.escape(value) if value else _NOTHING
    return lambda _: quoted


def _matcher(name: str, pattern: str, settings: TenantSettings) -> Matcher:
    if len(pattern) > _MAX_PATTERN:
        raise PatternError(f"the pattern {name} has {len(pattern):,} characters; at most {_MAX_PATTERN:,} are taken")
    try:
        return Matcher(fill(pattern, settings))
    except re2.error as error:
        raise PatternError(
            f"the pattern {name} = {pattern[:80]!r} is not one that RE2 takes ({_reason(error)}):"
            " look-around and back-references are not supported, brackets must be closed"
        ) from error


_options = re2.Options()
_options.log_errors = False


def _compile(pattern: str) -> "re2._Regexp[str]":
    return re2.compile(pattern, options=_options)


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
