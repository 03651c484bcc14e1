"""Owns the table of product names of the admin-centre export: SKU part numbers, and which hold Teams Phone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """A Microsoft 365 product; `teams_phone`: it holds the service plan that makes a Teams Phone user."""

    sku: str
    teams_phone: bool = False


_WITH_TEAMS_PHONE = {
    "Microsoft 365 E5": "SPE_E5",
    "Microsoft 365 E5 (no Teams)": "SPE_E5_NOTEAMS",
    "Microsoft 365 E5 with Calling Minutes": "SPE_E5_CALLINGMINUTES",
    "Microsoft 365 E5 without Audio Conferencing": "SPE_E5_NOPSTNCONF",
    "Microsoft 365 A5 for faculty": "M365EDU_A5_FACULTY",
    "Microsoft 365 A5 for students": "M365EDU_A5_STUDENT",
    "Microsoft 365 G5": "M365_G5_GCC",
    "Office 365 E5": "ENTERPRISEPREMIUM",
    "Office 365 E5 without Audio Conferencing": "ENTERPRISEPREMIUM_NOPSTNCONF",
    "Office 365 A5 for faculty": "ENTERPRISEPREMIUM_FACULTY",
    "Office 365 A5 for students": "ENTERPRISEPREMIUM_STUDENT",
    "Microsoft 365 Business Voice": "BUSINESS_VOICE_MED2",
    "Microsoft 365 Business Voice (without calling plan)": "BUSINESS_VOICE_DIRECTROUTING",
    "Microsoft 365 Phone System": "MCOEV",
    "Microsoft Teams Phone Standard": "MCOEV",
    "Microsoft Teams Phone Standard for Faculty": "MCOEV_FACULTY",
    "Microsoft Teams Phone Standard for GCC": "MCOEV_GOV",
    "Microsoft Teams Phone Standard for Small and Medium Business": "MCOEVSMB_1",
    "Microsoft Teams Phone with Calling Plan": "MCOTEAMS_ESSENTIALS",
    "Microsoft Teams Rooms Pro": "Microsoft_Teams_Rooms_Pro",
    "Microsoft Teams Shared Devices": "MCOCAP",
    "Teams Phone Standard": "MCOEV",
    "Teams Phone with Calling Plan": "MCOTEAMS_ESSENTIALS",
}
_WITHOUT_TEAMS_PHONE = {
    "Azure Active Directory Premium P1": "AAD_PREMIUM",
    "Enterprise Mobility + Security E3": "EMS",
    "Enterprise Mobility + Security E5": "EMSPREMIUM",
    "Exchange Online (Plan 1)": "EXCHANGESTANDARD",
    "Exchange Online (Plan 2)": "EXCHANGEENTERPRISE",
    "Microsoft 365 Audio Conferencing": "MCOMEETADV",
    "Microsoft 365 Business Basic": "O365_BUSINESS_ESSENTIALS",
    "Microsoft 365 Business Premium": "SPB",
    "Microsoft 365 Business Standard": "O365_BUSINESS_PREMIUM",
    "Microsoft 365 Copilot": "Microsoft_365_Copilot",
    "Microsoft 365 E3": "SPE_E3",
    "Microsoft 365 F1": "M365_F1",
    "Microsoft 365 F3": "SPE_F1",
    "Microsoft 365 Phone System - Virtual User": "PHONESYSTEM_VIRTUALUSER",
    "Microsoft Entra ID P1": "AAD_PREMIUM",
    "Microsoft Entra ID P2": "AAD_PREMIUM_P2",
    "Microsoft Fabric (Free)": "POWER_BI_STANDARD",
    "Microsoft Power Automate Free": "FLOW_FREE",
    "Microsoft Teams Audio Conferencing with dial-out to USA/CAN": "Microsoft_Teams_Audio_Conferencing_select_dial_out",
    "Microsoft Teams Domestic Calling Plan": "MCOPSTN1",
    "Microsoft Teams Enterprise": "Microsoft_Teams_Enterprise_New",
    "Microsoft Teams International Calling Plan": "MCOPSTN2",
    "Microsoft Teams Phone Resource Account": "PHONESYSTEM_VIRTUALUSER",
    "Microsoft Teams Premium": "Microsoft_Teams_Premium",
    "Office 365 E1": "STANDARDPACK",
    "Office 365 E3": "ENTERPRISEPACK",
    "Office 365 F3": "DESKLESSPACK",
    "Power BI Pro": "POWER_BI_PRO",
    "Project Plan 3": "PROJECTPROFESSIONAL",
    "Visio Plan 2": "VISIOCLIENT",
}
_BY_NAME = {name.lower(): Product(sku, teams_phone=True) for name, sku in _WITH_TEAMS_PHONE.items()} | {
    name.lower(): Product(sku) for name, sku in _WITHOUT_TEAMS_PHONE.items()
}


def product_of(name: str) -> Product | None:
    """Return the product of a name, whatever its case; None if the table does not hold it."""
    return _BY_NAME.get(name.strip().lower())


def split_products(licenses: str | None) -> list[str]:
    """Return the product names of a Licenses field. They are parted by `+`, which some names hold between spaces."""
    if licenses is None or licenses.lower() == "unlicensed":
        return []
    whole = [name.strip() for name in licenses.replace(" + ", "\0").split("+")]
    return [part for name in whole for part in _spaced(name)]


def _spaced(name: str) -> list[str]:
    # `Enterprise Mobility + Security E5` is one product; `Office 365 E3 + Visio Plan 2` is two.
    joined = name.replace("\0", " + ")
    if product_of(joined) is not None:
        return [joined]
    return [part.strip() for part in name.split("\0") if part.strip()]
