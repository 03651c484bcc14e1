"""Microsoft's own client reads in the fake Graph what ours reads there, so that the fake is true not only to us."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from collectors.graph.api.client import GraphClient, JsonObject
from collectors.graph.api.clouds import Cloud, GraphTenant
from collectors.graph.api.limits import Limits
from collectors.graph.mapping.facts import USER_SELECT, Observation
from collectors.graph.mapping.groups import member, nested_group
from collectors.graph.mapping.plans import subscribed_sku
from collectors.graph.reading.sources import Accounts, Numbers, Source, Users
from tests.support.graph import FakeGraph, FakeTenant, served_graph
from tests.support.graph.receiver import receiving

PAGE = 2

# The SDK warns of classes of its own, by merely being imported.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:(msgraph|kiota_abstractions)\..*")


class Token:
    """Gives both clients the token that the fake issued."""

    def __init__(self, issued: str) -> None:
        self._issued = issued

    async def token(self, tenant: GraphTenant) -> str:
        return self._issued

    def reject(self, tenant: GraphTenant, claims: str | None) -> None:
        raise AssertionError("the fake refuses its own token")

    async def get_authorization_token(self, uri: str, context: dict[str, Any]) -> str:
        return self._issued


class Sdk:
    """Microsoft's client, as it comes but for the address and the token. Its modules take more than a second to load,
    which only those who ask for it are to wait."""

    def __init__(self, graph: FakeGraph, token: Token, http: httpx.AsyncClient) -> None:
        from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
        from msgraph import GraphRequestAdapter, GraphServiceClient
        from msgraph_core import GraphClientFactory

        with_middleware = GraphClientFactory.create_with_default_middleware(client=http)
        adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(token), with_middleware)
        adapter.base_url = graph.url
        self.client: Any = GraphServiceClient(request_adapter=adapter)

    async def pages(self, builder: Any, **query: Any) -> list[Any]:
        """Read a list along its links, in pages of `PAGE`; `query` are its parameters in the SDK's names."""
        from kiota_abstractions.base_request_configuration import RequestConfiguration
        from kiota_abstractions.headers_collection import HeadersCollection

        (parameters,) = [kind for name, kind in vars(type(builder)).items() if name.endswith("GetQueryParameters")]
        headers = HeadersCollection()
        headers.add("Prefer", f"odata.maxpagesize={PAGE}")
        first = RequestConfiguration(headers=headers, query_parameters=parameters(**query))
        read = [await builder.get(request_configuration=first)]
        while link := read[-1].odata_next_link:
            following = RequestConfiguration(headers=headers)
            read.append(await builder.with_url(link).get(request_configuration=following))
        return read


def written(model: Any) -> JsonObject:
    """Return what the SDK understood of an object, as it writes it."""
    from kiota_serialization_json.json_serialization_writer import JsonSerializationWriter

    writer = JsonSerializationWriter()
    writer.write_object_value(None, model)
    found: JsonObject = msgspec.json.decode(writer.get_serialized_content())
    return found


def unknown(model: Any) -> set[str]:
    """Return what the SDK has no property for, anywhere in an object; it keeps each value in a tuple with marks."""
    if isinstance(model, list | tuple):
        return {name for each in model for name in unknown(each)}
    if not hasattr(model, "backing_store"):
        return set()
    return set(model.additional_data).union(*(unknown(value) for _, value in model.backing_store.enumerate_()))


@dataclass
class World:
    """A tenant of the fake, and both clients."""

    graph: FakeGraph
    acme: FakeTenant
    sdk: Sdk
    ours: GraphClient

    @property
    def tenant(self) -> GraphTenant:
        return GraphTenant("acme", self.acme.ms_tenant_id, Cloud("https://login", self.graph.origin, True))

    async def our_entries(self, source: Source) -> list[JsonObject]:
        return [entry async for page in source.pages(self.ours, self.tenant, None) for entry in page.values]


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with served_graph() as served:
        yield served


@pytest.fixture
async def world(graph: FakeGraph) -> AsyncIterator[World]:
    acme = graph.add_tenant()
    ada, bo, cy, dee, reception = (acme.add_user(**each) for each in ({}, {"displayName": None}, {}, {}, {}))
    acme.own_sku("ENTERPRISEPREMIUM", 25)
    acme.own_sku("PHONESYSTEM_VIRTUALUSER", 5)
    acme.set_licenses(ada, "ENTERPRISEPREMIUM")
    acme.set_licenses(bo, "ENTERPRISEPREMIUM", status="Warning")
    acme.set_licenses(reception, "PHONESYSTEM_VIRTUALUSER")
    acme.change_user(cy, accountEnabled=False)
    acme.remove_user(dee)
    acme.assign_number(ada, "+33199001001")
    acme.assign_number(bo, "+33199001002", "operatorConnect")
    acme.assign_number(ada, "+33199001003", category="private")
    acme.assign_number(reception, "+33199001004", status="voiceApplicationAssigned")
    acme.add_number("+33199001005", "callingPlan")
    acme.set_voice(ada, enabled=True, routing_policy="FR-National")
    acme.set_voice(reception, enabled=False, account_type="resourceAccount")
    acme.add_user(userType="Guest")
    token = Token(graph.sign_in.issue(acme.ms_tenant_id))
    async with (
        httpx.AsyncClient(trust_env=False, timeout=5.0) as http,
        # The SDK wraps the transport and does not close it.
        aclosing(httpx.AsyncHTTPTransport()) as wire,
        httpx.AsyncClient(transport=wire, trust_env=False, timeout=5.0) as theirs,
    ):
        yield World(graph, acme, Sdk(graph, token, theirs), GraphClient(http, token, Limits()))


def observed(source: Source, entries: Iterable[JsonObject]) -> list[Observation]:
    return [each for entry in entries for each in source.observe(entry)]


def selected(entry: JsonObject, names: Iterable[str]) -> JsonObject:
    """Return the properties that are there and known, also deep within: the SDK does not write null, and writes
    instants in its own way."""
    return {name: _plain(name, entry[name]) for name in names if entry.get(name) is not None}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return selected(value, sorted(value))
    if isinstance(value, list):
        return [_plain(name, each) for each in value]
    return datetime.fromisoformat(value) if name.endswith("DateTime") else value


async def test_users_and_what_changed_of_them(world: World) -> None:
    users, delta = Users({}), world.sdk.client.users.delta
    read = await world.sdk.pages(delta, select=list(USER_SELECT))
    assert [PAGE] * 3 == [len(page.value) for page in read]
    assert {"@removed", "@odata.context"} == unknown(read)
    theirs, ours = [written(user) for page in read for user in page.value], await world.our_entries(users)
    assert [selected(entry, USER_SELECT) for entry in ours] == [selected(entry, USER_SELECT) for entry in theirs]
    assert observed(users, ours) == observed(users, theirs)
    assert set(USER_SELECT) <= set().union(*theirs)

    changed, gone = sorted(set(world.acme.users) - set(world.acme.removed))[:2]
    world.acme.change_user(changed, displayName="Ada Moreau")
    world.acme.remove_user(gone, hard=True)
    later = await delta.with_url(read[-1].odata_delta_link).get()
    assert later.odata_delta_link
    told = {user.id: (user.display_name, user.additional_data.get("@removed")) for user in later.value}
    assert {changed: ("Ada Moreau", None), gone: (None, {"reason": "deleted"})} == told
    [page] = [page async for page in users.pages(world.ours, world.tenant, read[-1].odata_delta_link)]
    assert observed(users, page.values) == observed(users, [written(user) for user in later.value])


@pytest.mark.parametrize("what", ["accounts", "numbers"])
async def test_teams_accounts_and_numbers(world: World, what: str) -> None:
    teams = world.sdk.client.admin.teams
    source: Source
    if what == "accounts":
        source, builder = Accounts(), teams.user_configurations
    else:
        source, builder = Numbers({}), teams.telephone_number_management.number_assignments
    read = await world.sdk.pages(builder, top=PAGE)
    assert {PAGE} == {len(page.value) for page in read[:-1]}
    assert {"@odata.context"} == unknown(read)
    theirs, ours = [written(each) for page in read for each in page.value], await world.our_entries(source)
    names = sorted(set().union(*ours))
    assert [selected(entry, names) for entry in ours] == [selected(entry, names) for entry in theirs]
    facts = observed(source, ours)
    assert facts
    assert facts == observed(source, theirs)


async def test_groups_and_who_is_in_them(world: World) -> None:
    ada, bo = sorted(set(world.acme.users) - set(world.acme.removed))[:2]
    inner = world.acme.add_group("Inner", [bo])
    outer = world.acme.add_group("TPL-Frontline", [ada, inner], description="Template")
    groups = world.sdk.client.groups
    read = await world.sdk.pages(groups.delta, select=["displayName", "description", "members"])
    assert {"@odata.context", "members@delta"} == unknown(read)
    shown = {group.id: (group.display_name, group.description) for page in read for group in page.value}
    assert {inner: ("Inner", None), outer: ("TPL-Frontline", "Template")} == shown

    members = await world.sdk.pages(groups.by_group_id(outer).transitive_members, top=PAGE)
    assert [PAGE, 1] == [len(page.value) for page in members]
    assert {"@odata.context"} == unknown(members)
    theirs = [written(each) for page in members for each in page.value]
    path = f"/groups/{outer}/transitiveMembers?$select=id"
    ours = [entry async for page in world.ours.pages(world.tenant, path) for entry in page.values]
    assert {ada, bo, inner} == {entry["id"] for entry in theirs}
    assert [(member(each), nested_group(each)) for each in ours] == [
        (member(each), nested_group(each)) for each in theirs
    ]


async def test_licences_held(world: World) -> None:
    read = await world.sdk.client.subscribed_skus.get()
    assert {"@odata.context"} == unknown(read)
    ours = (await world.ours.get(world.tenant, "/subscribedSkus"))["value"]
    assert 2 == len(ours)
    assert [subscribed_sku(entry) for entry in ours] == [subscribed_sku(written(sku)) for sku in read.value]


async def test_subscriptions(world: World) -> None:
    from msgraph.generated.models.subscription import Subscription

    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    with receiving() as receiver:
        asked = Subscription(
            change_type="updated,deleted",
            notification_url=receiver.url,
            resource="/users",
            expiration_date_time=expires,
            client_state="invented",
        )
        made = await world.sdk.client.subscriptions.post(asked)
    assert {"@odata.context"} == unknown(made)
    assert ("updated,deleted", "/users", expires) == (made.change_type, made.resource, made.expiration_date_time)
    [held] = (await world.ours.get(world.tenant, "/subscriptions"))["value"]
    assert (made.id, made.notification_url) == (held["id"], held["notificationUrl"])
