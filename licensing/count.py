"""Owns the figures of the licence page, from a tally of profiles and the enabled factors (LICENSE-FACTORS §2, §3)."""

from collections.abc import Mapping
from dataclasses import dataclass

from licensing.factors import ALL, DR_PHONE, FACTORS, LICENSED, LOADED, counted_factor
from schemas.count import FactorCount

Tally = Mapping[int, int]
"""Number of subjects by profile."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The counted figures of a tenant.

    `available_licenses` and `usage_percent` are None where there is no pool, `usage_percent` also where the pool is 0.
    """

    currently_licensed: int
    acquired_licenses: int | None
    available_licenses: int | None
    usage_percent: float | None
    user_licenses: int
    dr_phone_licenses: int
    factors: list[FactorCount]


def figures(tally: Tally, enabled: int, pool: int | None) -> Figures:
    """Count a tally under the enabled factors (a mask of their bits) against the pool (licences, None = not known)."""
    counted = {factor.name: 0 for factor in FACTORS}
    for profile, subjects in tally.items():
        factor = counted_factor(profile, enabled)
        if factor is not None:
            counted[factor.name] += subjects
    rows: list[FactorCount] = []
    cumulative = 0
    for factor in FACTORS:
        matched_bit = LOADED if factor.name == "service_number" else factor.bit
        matched = sum(subjects for profile, subjects in tally.items() if profile & matched_bit)
        is_enabled = bool(enabled & factor.bit)
        cumulative += counted[factor.name]
        rows.append(
            FactorCount(
                factor=factor.name,
                label=factor.label,
                priority=factor.priority,
                optional=factor.optional,
                enabled=is_enabled,
                counted=counted[factor.name],
                matched=matched,
                cumulative=cumulative,
                display=f"{counted[factor.name]} ({matched})" if is_enabled else f"0 ({matched}) (n/a)",
            )
        )
    return Figures(
        currently_licensed=cumulative,
        acquired_licenses=pool,
        available_licenses=None if pool is None else pool - cumulative,
        usage_percent=round(100 * cumulative / pool, 1) if pool else None,
        user_licenses=sum(subjects for profile, subjects in tally.items() if profile & LICENSED),
        dr_phone_licenses=sum(subjects for profile, subjects in tally.items() if profile & DR_PHONE),
        factors=rows,
    )


def is_counted(profile: int | None, enabled: int) -> bool:
    """Tell whether a subject of this profile takes a licence under the enabled factors; an unknown (None) does not."""
    return profile is not None and bool(profile & enabled & ALL)
