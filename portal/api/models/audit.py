"""Owns the models of a recount."""

from portal.api.models.base import Shown
from portal.api.models.history import FactorFigures
from schemas.count import FactorName, Number
from schemas.identifiers import SubjectId, TenantId
from schemas.times import Instant


class AuditedFigures(Shown):
    """Figures that a recount compares."""

    currently_licensed: Number
    user_licenses: Number
    dr_phone_licenses: Number
    factors: dict[FactorName, FactorFigures]


class Difference(Shown):
    """A subject whose recorded profile is not the one that its facts give."""

    subject: SubjectId
    recorded_factor: FactorName | None
    recount_factor: FactorName | None
    recorded_profile: int | None
    """The byte of everything that it matches; null where none is recorded."""
    recount_profile: int | None


class Audit(Shown):
    """A recount from the facts beside the live count."""

    tenant: TenantId
    audited_at: Instant
    settings_revision: Number
    agrees: bool
    subjects: Number
    recount: AuditedFigures
    live: AuditedFigures
    differences_total: Number
    differences: list[Difference]
    """At most 1,000."""
    numbers_held_by_users: list[SubjectId]
    """Service numbers that a user holds as well; at most 1,000."""
