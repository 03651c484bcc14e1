"""A tenth of the vendor's example as events: 37 subjects, counted 20, 10, 0, 5, 2 by factor."""

from datetime import UTC, datetime, timedelta
from typing import Any

COUNTED = [20, 10, 0, 5, 2]


def events_of(tenant: str) -> list[dict[str, Any]]:
    """Return the events of a tenant whose gateway is `sbc1.<tenant>.example`, observed a minute ago."""
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="milliseconds")

    def event(facet: str, subject: str, **facts: Any) -> dict[str, Any]:
        return {
            "type": facet, "tenant": tenant, "subject": subject, "observed_at": at, "source": "browser-test",
            "facts": facts,
        }  # fmt: skip

    found = []
    for n in range(35):
        user, number = f"user:{tenant}-{n:03}", f"+1555010{n:04}"
        found.append(event("directory", user, display_name=f"User {n:03}", account_enabled=True,
                           user_principal_name=f"user{n:03}@{tenant}.example"))  # fmt: skip
        found.append(event("subscription", user, skus=["MCOEV"], teams_phone=n < 20, teams_phone_status="Enabled"))
        if n < 20:
            found.append(event("phone_number", user, number=number, number_type="directRouting"))
            found.append(event("voice", user, enterprise_voice=True, gateway=f"sbc1.{tenant}.example"))
        elif n < 30:
            found.append(event("phone_number", user, number=number, number_type="operatorConnect"))
        else:
            found.append(event("interface", user, changed_by=f"ana@{tenant}.example", change="caller id"))
    for n, tag in enumerate(("fax", "lobby")):
        number = f"+1555019{n:04}"
        found.append(event("dial_plan", f"number:{number}", number=number, tag=tag, name=tag.title()))
    return found
