"""The vendor's worked example in a portal under test: 500 bought, 200 + 100 + 50 + 20 = 370 counted."""

from datetime import timedelta
from typing import Any

from schemas.alert import Delivery
from schemas.commands import SyncRun
from schemas.sources import SourceState
from schemas.times import format_time
from streams.sink.processors import commands as sync_rows
from tests.support.portal_world import START, World
from tests.support.sinking import MemoryRecord

TENANT = "contoso"
ANA = "user:5d2f6a31-0c4e-4b7a-9a51-6f0b8f0a1c22"
HELD = "3f1c9e0b2a7d4e65b8c1d2e3f4a5b6c7"
SAID = "455 of 500 licences are in use, 91 % of the pool: the warning limit is reached."
GRAPH = {"ms_tenant_id": "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201", "graph": {}}

_DIRECT: dict[str, Any] = {"number_type": "directRouting"}
_OPERATOR: dict[str, Any] = {"number_type": "operatorConnect"}
_VOICE: dict[str, Any] = {"enterprise_voice": True, "gateway": "sbc1.contoso.example"}


def subjects() -> dict[str, dict[str, dict[str, Any] | None]]:
    """Return the facts of all 370 subjects."""
    users = [ANA, *(f"user:5d2f6a31-0c4e-4b7a-9a51-{n:012x}" for n in range(1, 350))]
    found: dict[str, dict[str, dict[str, Any] | None]] = {}
    for n, user in enumerate(users):
        number = {"number": f"+1555010{n:04}"}
        if n < 200:
            found[user] = {"phone_number": number | _DIRECT, "voice": _VOICE, "subscription": {"teams_phone": True}}
        elif n < 300:
            found[user] = {"phone_number": number | _OPERATOR}
        else:
            found[user] = {"interface": {"changed_by": "ana@msp.example", "change": "caller id"}}
    for n in range(20):
        number = {"number": f"+1555019{n:04}", "tag": "fax", "name": f"Fax {n}"}
        found[f"number:+1555019{n:04}"] = {"dial_plan": number}
    return found


async def tell_vendor_example(world: World) -> None:
    """Tell settings, subjects, counts, sources and syncs of the tenant."""
    settings = {"display_name": "Contoso", "acquired_licenses": 500, "gateways": ["sbc1.contoso.example"], **GRAPH}
    await world.set(TENANT, START, **settings)
    names = {"display_name": "Ana Alba", "user_principal_name": "ana@contoso.example", "account_enabled": True}
    world.observe(TENANT, ANA, START + timedelta(minutes=30), directory=names)
    world.observe_all(TENANT, START + timedelta(hours=1), subjects())
    await world.set(TENANT, START + timedelta(hours=2), **settings | {"factors": {"lifecycle": False}})
    await world.set(TENANT, START + timedelta(hours=3), **settings | {"factors": {"lifecycle": None}})
    await world.publish(TENANT, START + timedelta(hours=3))
    raised = await world.alert(TENANT, START + timedelta(hours=3), detail=SAID)
    world.record_alert(Delivery.model_validate(
        {"id": raised.id, "tenant": TENANT, "rule": "pool", "channel": "ops", "state": "delivered", "attempts": 1,
         "at": format_time(START + timedelta(hours=3))}
    ))  # fmt: skip
    told = {"since": format_time(START), "at": format_time(START), "read": 350, "source": "graph", "tenant": TENANT}
    users = {"part": "users", "facets": ["directory", "subscription"], "state": "ok", "full_at": format_time(START)}
    await world.tell(SourceState.model_validate(told | users))
    run = {"tenant": TENANT, "by": "import", "sent_at": format_time(START), "source": "users-file",
           "started_at": format_time(START), "seen": 10, "expected": 350}  # fmt: skip
    for sync_id, facet, status in ((HELD, "voice", "held"), (HELD[::-1], "directory", "completed")):
        made = SyncRun.model_validate(run | {"id": sync_id, "facet": facet, "status": status})
        record = MemoryRecord("commands", made.model_dump_json().encode(), TENANT.encode())
        world.store(sync_rows([record]).batches)
