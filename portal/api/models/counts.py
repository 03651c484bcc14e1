"""Owns the models of the list of tenants and of a tenant's removal; a count has its own in `schemas.count`."""

from pydantic import ConfigDict, Field

from portal.api.models.base import Page, Shown
from schemas.count import Count
from schemas.identifiers import TenantId
from schemas.times import Instant


class ListedCount(Count):
    """A count of the list of tenants."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    sparkline: list[int] = Field([])
    """Highest count of each of the last 30 days (UTC), today last; absent unless asked for."""


class CountPage(Page[ListedCount]):
    """A page of counts."""


class Removed(Shown):
    """What a removal did."""

    tenant: TenantId
    removed_at: Instant
    """Facts observed up to this instant are never counted again."""
    purged: bool
    """Whether its history went as well."""
