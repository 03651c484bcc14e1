"""Owns Microsoft's clouds: where each one signs in, where its Graph is, and what its Graph has. It opens no connection.

Source: Microsoft Graph, national cloud deployments. Registrations and tokens of one cloud mean nothing in another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schemas.settings import CloudName


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud. `login` and `graph` are addresses without a path: tests replace them by servers of their own."""

    login: str
    graph: str
    has_teams_admin: bool
    """Whether /admin/teams exists: without it voice and numbers come from imports alone."""

    @property
    def scope(self) -> str:
        """What an application asks a token for: everything that was consented to."""
        return f"{self.graph}/.default"


CLOUDS: Mapping[CloudName, Cloud] = MappingProxyType(
    {
        "global": Cloud("https://login.microsoftonline.com", "https://graph.microsoft.com", has_teams_admin=True),
        "gcc_high": Cloud("https://login.microsoftonline.us", "https://graph.microsoft.us", has_teams_admin=False),
        "dod": Cloud("https://login.microsoftonline.us", "https://dod-graph.microsoft.us", has_teams_admin=False),
        "china": Cloud(
            # The older host, login.chinacloudapi.cn, still answers.
            "https://login.partner.microsoftonline.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            has_teams_admin=False,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class GraphTenant:
    """A tenant of ours and the directory that it is: `ms_tenant_id` is Entra ID's GUID of it."""

    tenant: str
    ms_tenant_id: str
    cloud: Cloud = CLOUDS["global"]
