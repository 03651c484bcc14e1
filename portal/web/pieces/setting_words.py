"""Owns the words for settings: the name of each, its values as text, and the kinds of service."""

from typing import Any

from portal.web.pieces.words import factor_label

SETTINGS = {
    "display_name": "Display name",
    "acquired_licenses": "Acquired Licenses",
    "service_type": "Service type",
    "factors.lifecycle": factor_label("lifecycle"),
    "factors.user_interface": factor_label("user_interface"),
    "factors.service_number": factor_label("service_number"),
    "criteria.licensed_users_by_gateway": "Gateways of Direct Routing users",
    "criteria.dr_numbers": "Tags of Direct Routing numbers",
    "criteria.reject_service_numbers": "Tags that are no service numbers",
    "customer_guid": "Customer GUID",
    "ms_tenant_id": "Microsoft tenant id",
    "gateways": "PSTN gateways",
    "graph": "Microsoft Graph",
    "graph.cloud": "Microsoft Graph",
    "graph.template_groups": "Template groups",
    "alerts.warning_percent": "Warning from (percent)",
    "alerts.critical_percent": "Critical from (percent)",
    "alerts.clear_percent": "Clear below (percent)",
    "alerts.dwell_s": "Only if it lasts (seconds)",
    "alerts.warning_available": "Warning from (licences left)",
    "alerts.critical_available": "Critical from (licences left)",
    "alerts.grace_percent": "Grace above the pool (percent)",
    "alerts.grace_days": "Grace above the pool (days)",
    "alerts.forecast_days": "Warn before it runs out (days)",
    "alerts.remind_after_s": "Remind after (seconds)",
    "alerts.channels": "Channels",
    "alerts.silences": "Silences",
    "stale_after_s": "Stale after (seconds)",
    "removed_at": "Removed at",
}

SERVICE_TYPES = {
    "ump_365": "UMP 365",
    "hosted_essentials": "Hosted Essentials",
    "oc_essentials": "Operator Connect Essentials",
    "hosted_essentials_plus": "Hosted Essentials Plus",
    "hosted_pro": "Hosted Pro",
    "oc_essentials_plus": "Operator Connect Essentials Plus",
    "oc_pro": "Operator Connect Pro",
}

CRITERIA_DEFAULTS = {
    "licensed_users_by_gateway": "holds one of the PSTN gateways",
    "dr_numbers": "is the Microsoft tenant id or the customer GUID, or holds one of the PSTN gateways",
    "reject_service_numbers": "none is rejected",
}

_WITHOUT_DEFAULT = ("display_name", "acquired_licenses", "customer_guid", "ms_tenant_id", "gateways", "removed_at")
"""Where nothing stands for what is not set. Calling an unknown pool a default would send people to look for one."""


def setting_name(path: str) -> str:
    """Return the name of a setting, its place where it has none."""
    return SETTINGS.get(path, path)


def setting_value(path: str, value: Any) -> str:
    """Return the value of a setting as text."""
    if value is None or value == []:
        return "not set" if path in _WITHOUT_DEFAULT else "default"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(_silence(each) if isinstance(each, dict) else str(each) for each in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _silence(value: dict[str, Any]) -> str:
    since = f"from {value['since']} " if value.get("since") else ""
    reason = f" ({value['reason']})" if value.get("reason") else ""
    return f"{value.get('rule') or 'everything'} {since}until {value['until']}{reason}"
