"""Owns who may do what: principals, their roles, and what a role allows. Pure; how one is recognised is not its
business."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Role = Literal["provider_admin", "provider_viewer", "tenant_admin", "tenant_viewer"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks. A provider's role is for all tenants and the provider's own settings; a tenant's role is for
    `tenants` alone, in every endpoint, page, stream and export."""

    name: str
    """Recorded beside what is changed: an e-mail address, or the name of a token."""
    role: Role
    tenants: frozenset[str] = frozenset()
    until: datetime | None = None
    """When it has to be recognised anew, as at the end of a session; None = each request says for itself."""
    key: str = field(default="", compare=False)
    """Whose requests count together. Not the name: people choose those, and others may choose the same."""

    @property
    def is_provider(self) -> bool:
        """Whether it sees all tenants and what is the provider's own."""
        return self.role in ("provider_admin", "provider_viewer")

    @property
    def is_admin(self) -> bool:
        """Whether it changes anything at all, and hands on what it may do by tokens."""
        return self.role in ("provider_admin", "tenant_admin")

    @property
    def changes_provider(self) -> bool:
        """Whether it changes what is the provider's own: defaults, tokens of all, which tenants there are."""
        return self.role == "provider_admin"

    def sees(self, tenant: str) -> bool:
        """Tell whether it may know anything of a tenant; to anybody else the tenant does not exist."""
        return self.is_provider or tenant in self.tenants

    def hears(self, tenant: str | None) -> frozenset[str] | None:
        """Return whose counts it hears of if it asks for those of one tenant or of all (None): None for all there
        are."""
        if self.is_provider:
            return None if tenant is None else frozenset((tenant,))
        return self.tenants if tenant is None else self.tenants & {tenant}

    def changes(self, tenant: str) -> bool:
        """Tell whether it may change a tenant: settings, refreshes, events, confirmations."""
        return self.role == "provider_admin" or (self.role == "tenant_admin" and tenant in self.tenants)

    def covers(self, role: Role, tenants: frozenset[str]) -> bool:
        """Tell whether a role for some tenants is within its own: a token that it may make, see and revoke."""
        if self.role == "provider_admin":
            return True
        is_of_tenants = role in ("tenant_admin", "tenant_viewer") and bool(tenants)
        return self.role == "tenant_admin" and is_of_tenants and tenants <= self.tenants


LOCAL = Principal("local", "provider_admin")
"""Whoever uses this machine, where the portal listens on it alone and asks nobody to sign in."""
