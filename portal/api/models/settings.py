"""Owns the models of who changed which setting; the settings themselves have theirs in `schemas.settings`."""

from typing import Any

from pydantic import Field

from portal.api.models.base import Page, Shown
from schemas.count import Number
from schemas.times import Instant


class SettingChange(Shown):
    """One setting that a revision changed."""

    setting: str
    """Its name, nested ones with a dot: `factors.lifecycle`."""
    before: Any = Field(alias="from")
    to: Any


class Revision(Shown):
    """One revision of the settings."""

    revision: Number
    at: Instant
    by: str | None
    changes: list[SettingChange]


class RevisionPage(Page[Revision]):
    """A page of revisions, newest first."""
