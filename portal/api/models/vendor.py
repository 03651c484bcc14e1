"""Owns the models of the vendor's shapes; the names are the vendor's."""

from pydantic import Field

from portal.api.models.base import Shown
from schemas.count import Number
from schemas.times import Instant


class LicenseFactors(Shown):
    """Which optional factors took part at the end of the day."""

    lifecycle: bool = Field(alias="managedUsersByLifeCycleManagement")
    user_interface: bool = Field(alias="managedUsersUserInterface")
    service_number: bool = Field(alias="managedServiceNumbers")


class LicenseDay(Shown):
    """The figures at the end of a day."""

    acquired_licenses: int | None = Field(alias="acquiredLicenses")
    total_monitored_users: Number = Field(alias="totalMonitoredUsers")
    currently_licensed: Number = Field(alias="currentlyLicensed")
    direct_routing: Number = Field(alias="managedUsersDirectRouting")
    operator_connect: Number = Field(alias="managedUsersOperatorConnect")
    lifecycle: Number = Field(alias="managedUsersByLifeCycleManagement")
    user_interface: Number = Field(alias="managedUsersUserInterface")
    service_number: Number = Field(alias="managedServiceNumbers")
    last_update: Instant = Field(alias="lastUpdate")
    license_factors: LicenseFactors = Field(alias="LicenseFactors")


class LicensedUser(Shown):
    """A counted subject."""

    sip_address: str = Field(alias="sipAddress")
    """SIP address, else user principal name, else id; of a service number its number."""
    license_criteria: str = Field(alias="licenseCriteria")
    """Label of the factor where it is counted."""
