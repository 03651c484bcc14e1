"""The fake Graph answers as Microsoft's documentation says, and goes wrong as a test says."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msal
import pytest

from tests.support.graph import CLIENT_ID, CLIENT_SECRET, LOGIN, FakeGraph, FakeTenant, MsalHttp, served_graph
from tests.support.graph.receiver import Receiver, receiving
from tests.support.graph.schemas import check, check_answer, microsofts_schemas
from tests.support.ports import HOST, free_port
from tests.support.waiting import eventually

USERS = "/users/delta?$select=id,userPrincipalName,displayName,accountEnabled,userType,assignedLicenses,assignedPlans"
GROUPS = "/groups/delta?$select=displayName,description,members"
CONFIGURATIONS = "/admin/teams/userConfigurations"
NUMBERS = "/admin/teams/telephoneNumberManagement/numberAssignments"
Json = dict[str, Any]


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with served_graph() as served:
        yield served


@pytest.fixture
def tenant(graph: FakeGraph) -> FakeTenant:
    return graph.add_tenant()


@pytest.fixture
def http(graph: FakeGraph, tenant: FakeTenant) -> Iterator[httpx.Client]:
    with client(graph, tenant) as opened:
        yield opened


def client(graph: FakeGraph, tenant: FakeTenant) -> httpx.Client:
    token = graph.sign_in.issue(tenant.ms_tenant_id)
    return httpx.Client(base_url=graph.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=5)


def pages(http: httpx.Client, url: str, size: int | None = None) -> list[Json]:
    """Read a round to its end."""
    headers = {"Prefer": f"odata.maxpagesize={size}"} if size else {}
    read: list[Json] = []
    following: str | None = url
    while following and len(read) < 1000:
        read.append(http.get(following, headers=headers).raise_for_status().json())
        following = read[-1].get("@odata.nextLink")
    return read


def entries(read: list[Json]) -> list[Json]:
    return [entry for page in read for entry in page["value"]]


def ids(read: list[Json]) -> list[str]:
    return [entry["id"] for entry in entries(read)]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# Rounds of users


def test_a_round_gives_every_user_once_and_ends_with_a_link_that_tells_of_changes_only(
    tenant: FakeTenant, http: httpx.Client
) -> None:
    users = [tenant.add_user() for _ in range(5)]
    read = pages(http, USERS, size=2)
    assert users == ids(read)
    assert [2, 2, 1] == [len(page["value"]) for page in read]
    assert [False, False, True] == ["@odata.deltaLink" in page for page in read]
    [quiet] = pages(http, read[-1]["@odata.deltaLink"])
    assert [] == quiet["value"]
    tenant.change_user(users[1], displayName="Ada")
    assert ["Ada"] == [entry["displayName"] for entry in entries(pages(http, quiet["@odata.deltaLink"]))]


def test_what_is_not_selected_is_neither_told_nor_tracked(tenant: FakeTenant, http: httpx.Client) -> None:
    user = tenant.add_user(department="Sales")
    [first] = pages(http, "/users/delta()?$select=accountEnabled")
    assert [{"id": user, "accountEnabled": True}] == first["value"]
    tenant.change_user(user, department="Support")
    [second] = pages(http, first["@odata.deltaLink"])
    assert [] == second["value"]


def test_what_was_never_set_is_absent_and_what_was_cleared_is_null(tenant: FakeTenant, http: httpx.Client) -> None:
    user = tenant.add_user()
    select = "/users/microsoft.graph.delta?$select=assignedPlans,department"
    assert [{"id": user}] == entries(pages(http, select))
    tenant.change_user(user, department=None)
    assert [{"id": user, "department": None}] == entries(pages(http, select))


def test_removed_users_are_told_with_the_reason_and_restored_ones_come_back(
    tenant: FakeTenant, http: httpx.Client
) -> None:
    soft, hard = tenant.add_user(), tenant.add_user()
    [first] = pages(http, USERS)
    tenant.remove_user(soft)
    tenant.remove_user(hard, hard=True)
    [second] = pages(http, first["@odata.deltaLink"])
    assert [
        {"id": soft, "@removed": {"reason": "changed"}},
        {"id": hard, "@removed": {"reason": "deleted"}},
    ] == second["value"]
    assert [soft] == ids(pages(http, USERS)), "who is gone for good is not in a first round"
    tenant.restore_user(soft)
    [third] = pages(http, second["@odata.deltaLink"])
    assert [(soft, False)] == [(entry["id"], "@removed" in entry) for entry in third["value"]]


def test_from_now_on_begins_with_nothing(tenant: FakeTenant, http: httpx.Client) -> None:
    tenant.add_user()
    [latest] = pages(http, "/users/delta?$select=id&$deltatoken=latest")
    later = tenant.add_user()
    assert ([], [later]) == (latest["value"], ids(pages(http, latest["@odata.deltaLink"])))


def test_a_link_may_be_asked_again(tenant: FakeTenant, http: httpx.Client) -> None:
    for _ in range(4):
        tenant.add_user()
    link = http.get(USERS, headers={"Prefer": "odata.maxpagesize=2"}).json()["@odata.nextLink"]
    assert http.get(link).json() == http.get(link).json()


def test_a_user_who_changes_between_pages_comes_again_as_changed(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client
) -> None:
    users = [tenant.add_user() for _ in range(4)]
    graph.faults.between_pages(lambda: tenant.change_user(users[0], displayName="Ada"), path="/v1.0/users")
    read = pages(http, USERS, size=2)
    assert [*users, users[0]] == ids(read)
    assert "Ada" == entries(read)[-1]["displayName"]


def test_pages_can_overlap_and_be_empty(graph: FakeGraph, tenant: FakeTenant, http: httpx.Client) -> None:
    users = [tenant.add_user() for _ in range(3)]
    graph.faults.repeat_across_pages(tenant.ms_tenant_id)
    graph.faults.empty_pages(1, tenant.ms_tenant_id)
    read = pages(http, USERS, size=2)
    assert [[], users[:2], users[1:]] == [[entry["id"] for entry in page["value"]] for page in read]
    assert [users[0], users[1], users[1], users[2]] == ids(pages(http, f"{CONFIGURATIONS}?$top=2"))
    for nth, user in enumerate(users):
        tenant.assign_number(user, f"+3319900100{nth}")
    assert 4 == len(entries(pages(http, f"{NUMBERS}?$top=2")))


@pytest.mark.parametrize("gone", [False, True])
def test_an_expired_delta_link_asks_for_everything_again(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client, gone: bool
) -> None:
    user = tenant.add_user()
    [first] = pages(http, USERS)
    graph.faults.expire_delta_tokens(tenant.ms_tenant_id, gone=gone)
    refused = http.get(first["@odata.deltaLink"])
    assert (410, "resyncRequired") if gone else (400, "syncStateNotFound") == code(refused)
    if gone:
        assert refused.headers["Location"].endswith("$deltatoken=")
        assert first["value"] == entries(pages(http, refused.headers["Location"]))
    [again] = pages(http, USERS)
    tenant.change_user(user, displayName="Ada")
    assert [user] == ids(pages(http, again["@odata.deltaLink"])), "a link given after that is good"


def test_an_expired_link_to_a_next_page_is_told_as_such(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client
) -> None:
    for _ in range(2):
        tenant.add_user()
    link = http.get(USERS, headers={"Prefer": "odata.maxpagesize=1"}).json()["@odata.nextLink"]
    graph.faults.expire_page_tokens(tenant.ms_tenant_id)
    assert (400, "Directory_ExpiredPageToken") == code(http.get(link))


# Groups


def test_group_rounds_tell_who_came_and_who_left(tenant: FakeTenant, http: httpx.Client) -> None:
    ada, bo, cy = (tenant.add_user() for _ in range(3))
    group = tenant.add_group("TPL-Frontline", [ada, bo], description="Template")
    [first] = pages(http, GROUPS)
    link = {"@odata.type": "#microsoft.graph.user"}
    [entry] = first["value"]
    assert {"id": group, "displayName": "TPL-Frontline", "description": "Template"} == {
        name: value for name, value in entry.items() if name != "members@delta"
    }
    assert {ada, bo} == {member["id"] for member in entry["members@delta"]}
    tenant.set_group_members(group, [ada, cy])
    tenant.remove_user(ada)
    [second] = pages(http, first["@odata.deltaLink"])
    told = {member["id"]: member for member in second["value"][0]["members@delta"]}
    assert {
        ada: link | {"id": ada, "@removed": {"reason": "deleted"}},
        bo: link | {"id": bo, "@removed": {"reason": "deleted"}},
        cy: link | {"id": cy},
    } == told
    tenant.change_group(group, displayName="TPL-Night")
    [third] = pages(http, second["@odata.deltaLink"])
    assert [(group, "TPL-Night", False)] == [
        (entry["id"], entry["displayName"], "members@delta" in entry) for entry in third["value"]
    ]
    tenant.remove_group(group)
    assert [{"id": group, "@removed": {"reason": "changed"}}] == entries(pages(http, third["@odata.deltaLink"]))


def test_a_big_group_spans_pages_and_only_groups_asked_for_come(tenant: FakeTenant, http: httpx.Client) -> None:
    users = {tenant.add_user() for _ in range(1_201)}
    big, other = tenant.add_group("TPL-Big", users), tenant.add_group("TPL-Other")
    read = pages(http, f"{GROUPS}&$filter=id eq '{big}'")
    assert [big] * 3 == ids(read)
    members = [member["id"] for entry in entries(read) for member in entry["members@delta"]]
    assert (1_201, users) == (len(members), set(members))
    assert [big] * 3 + [other] == ids(pages(http, GROUPS))


def test_transitive_members_are_flat_also_in_a_circle(tenant: FakeTenant, http: httpx.Client) -> None:
    ada, bo = tenant.add_user(), tenant.add_user()
    inner = tenant.add_group("Inner", [bo])
    outer = tenant.add_group("Outer", [ada, inner])
    tenant.set_group_members(inner, [bo, outer])
    assert {ada, bo, inner} == set(ids(pages(http, f"/groups/{outer}/transitiveMembers?$top=1")))
    assert {ada, inner} == set(ids(pages(http, f"/groups/{outer}/members")))
    users = f"/groups/{outer}/transitiveMembers/microsoft.graph.user?$count=true&$select=id"
    assert (400, "Request_UnsupportedQuery") == code(http.get(users))
    eventual = http.get(users, headers={"ConsistencyLevel": "eventual"}).json()
    assert (2, {ada, bo}) == (eventual["@odata.count"], set(ids([eventual])))
    assert (404, "Request_ResourceNotFound") == code(http.get(f"/groups/{ada}/transitiveMembers"))


# Teams and licences


def test_a_number_belongs_to_one_and_enables_voice(tenant: FakeTenant, http: httpx.Client) -> None:
    ada, bo = tenant.add_user(), tenant.add_user()
    tenant.assign_number(ada, "+33199001001", "operatorConnect")
    before = {entry["id"]: entry for entry in entries(pages(http, CONFIGURATIONS))}
    assert (True, False) == (before[ada]["isEnterpriseVoiceEnabled"], before[bo]["isEnterpriseVoiceEnabled"])
    tenant.assign_number(bo, "+33199001001", "directRouting")
    after = {entry["id"]: entry for entry in entries(pages(http, CONFIGURATIONS))}
    assert [] == after[ada]["telephoneNumbers"]
    assert [{"telephoneNumber": "+33199001001", "assignmentCategory": "primary"}] == after[bo]["telephoneNumbers"]
    assert before[ada]["modifiedDateTime"] < after[ada]["modifiedDateTime"]
    [row] = entries(pages(http, f"{NUMBERS}?$filter=telephoneNumber eq '%2B33199001001'"))
    assert ("directRouting", bo, "userAssigned") == (
        row["numberType"], row["assignmentTargetId"], row["assignmentStatus"]
    )  # fmt: skip
    tenant.unassign_number("+33199001001")
    [row] = entries(pages(http, f"{NUMBERS}?$filter=assignmentStatus eq 'unassigned'"))
    assert row["assignmentTargetId"] is None
    tenant.release_number("+33199001001")
    assert [] == entries(pages(http, NUMBERS))


def test_who_is_deleted_has_no_configuration_and_in_the_end_no_number(tenant: FakeTenant, http: httpx.Client) -> None:
    user = tenant.add_user()
    tenant.assign_number(user, "+33199001001")
    tenant.remove_user(user)
    assert [] == ids(pages(http, CONFIGURATIONS))
    assert [user] == [row["assignmentTargetId"] for row in entries(pages(http, NUMBERS))]
    tenant.restore_user(user)
    assert [user] == ids(pages(http, CONFIGURATIONS))
    tenant.remove_user(user, hard=True)
    assert [None] == [row["assignmentTargetId"] for row in entries(pages(http, NUMBERS))]


@pytest.mark.parametrize("links", [True, False])
def test_numbers_can_be_read_by_skipping_whether_links_are_sent_or_not(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client, links: bool
) -> None:
    graph.number_links = links
    for nth in range(5):
        tenant.add_number(f"+3319900100{nth}")
    read = [http.get(f"{NUMBERS}?$top=2&$skip={skip}").json() for skip in (0, 2, 4)]
    assert [f"+3319900100{nth}" for nth in range(5)] == [row["telephoneNumber"] for row in entries(read)]
    assert [links, links, False] == ["@odata.nextLink" in page for page in read]
    assert 400 == http.get(f"{NUMBERS}?$top=1001").status_code


def test_seats_are_consumed_by_who_has_them(tenant: FakeTenant, http: httpx.Client) -> None:
    tenant.own_sku("MCOEV", 25)
    user = tenant.add_user()
    tenant.set_licenses(user, "MCOEV", status="Warning")
    [sku] = entries(pages(http, "/subscribedSkus"))
    assert ("MCOEV", 25, 1) == (sku["skuPartNumber"], sku["prepaidUnits"]["enabled"], sku["consumedUnits"])
    [told] = entries(pages(http, USERS))
    assert [sku["skuId"]] == [licence["skuId"] for licence in told["assignedLicenses"]]
    assert ["Warning"] == [plan["capabilityStatus"] for plan in told["assignedPlans"]]
    tenant.remove_user(user)
    assert [0] == [sku["consumedUnits"] for sku in entries(pages(http, "/subscribedSkus"))]


# Signing in and permissions


def application(tenant_id: str, http: MsalHttp, secret: str = CLIENT_SECRET) -> Any:
    return msal.ConfidentialClientApplication(
        CLIENT_ID,
        client_credential=secret,
        authority=f"{LOGIN}/{tenant_id}",
        http_client=http,
        instance_discovery=False,
    )


def sign_in(application: Any) -> Json:
    found: Json = application.acquire_token_for_client(scopes=["https://graph.microsoft.com/.default"])
    return found


def test_an_unchanged_msal_signs_in_and_the_token_says_what_was_granted(graph: FakeGraph, tenant: FakeTenant) -> None:
    user = tenant.add_user()
    tenant.permissions.remove("TeamsTelephoneNumber.Read.All")
    with MsalHttp(graph.origin) as login:
        token = sign_in(application(tenant.ms_tenant_id, login))
    claims = json.loads(base64.urlsafe_b64decode(token["access_token"].split(".")[1] + "=="))
    assert (tenant.ms_tenant_id, sorted(tenant.permissions)) == (claims["tid"], claims["roles"])
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    with httpx.Client(base_url=graph.url, headers=headers, trust_env=False) as http:
        assert [user] == ids(pages(http, USERS))
        assert (403, "forbidden") == code(http.get(NUMBERS))


def test_signing_in_is_refused_as_entra_id_does(graph: FakeGraph, tenant: FakeTenant) -> None:
    with MsalHttp(graph.origin) as login:
        with pytest.raises(ValueError, match="Unable to get authority configuration"):
            application("00000000-0000-0000-0000-0000000000ff", login)
        wrong = sign_in(application(tenant.ms_tenant_id, login, secret="wrong"))
        assert ("invalid_client", [7000215]) == (wrong["error"], wrong["error_codes"])
        tenant.consented = False
        unknown = sign_in(application(tenant.ms_tenant_id, login))
        assert ("unauthorized_client", [700016]) == (unknown["error"], unknown["error_codes"])


def test_tokens_are_of_one_tenant_and_end(graph: FakeGraph, tenant: FakeTenant, http: httpx.Client) -> None:
    mine, other = tenant.add_user(), graph.add_tenant()
    theirs = other.add_user()
    [first] = pages(http, USERS)
    with client(graph, other) as foreign:
        assert ([mine], [theirs]) == (ids([first]), ids(pages(foreign, USERS)))
        assert (403, "Authorization_RequestDenied") == code(foreign.get(first["@odata.deltaLink"]))
        graph.sign_in.revoke(tenant.ms_tenant_id)
        refused = http.get(USERS)
        assert (401, "InvalidAuthenticationToken") == code(refused)
        assert "Bearer" in refused.headers["WWW-Authenticate"]
        assert 200 == foreign.get(USERS).status_code
    assert 401 == httpx.get(f"{graph.url}/users/delta", trust_env=False).status_code
    graph.sign_in.lifetime_s = 0
    with client(graph, tenant) as late:
        assert 401 == late.get(USERS).status_code


@pytest.mark.parametrize(
    ("url", "permission", "expected"),
    [
        (USERS, "User.Read.All", "Authorization_RequestDenied"),
        (GROUPS, "GroupMember.Read.All", "Authorization_RequestDenied"),
        ("/subscribedSkus", "LicenseAssignment.Read.All", "Authorization_RequestDenied"),
        (CONFIGURATIONS, "TeamsUserConfiguration.Read.All", "forbidden"),
        (NUMBERS, "TeamsTelephoneNumber.Read.All", "forbidden"),
    ],
)
def test_a_permission_that_is_taken_away_is_missing_at_once(
    tenant: FakeTenant, http: httpx.Client, url: str, permission: str, expected: str
) -> None:
    assert 200 == http.get(url).status_code
    tenant.permissions.remove(permission)
    refused = http.get(url)
    assert (403, expected) == code(refused)
    assert (permission in refused.text) is (expected == "forbidden")


# What goes wrong


def test_planned_failures_hit_their_tenant_and_path_so_often(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client
) -> None:
    graph.faults.throttle(2, "7.5", path="/v1.0/users", tenant=tenant.ms_tenant_id)
    graph.faults.fail(1, 503, "3", path="/v1.0/groups")
    with client(graph, graph.add_tenant()) as other:
        assert 200 == other.get(USERS).status_code
    throttled = [http.get(USERS) for _ in range(3)]
    assert [(429, "7.5"), (429, "7.5"), (200, None)] == [
        (answer.status_code, answer.headers.get("Retry-After")) for answer in throttled
    ]
    assert (429, "TooManyRequests") == code(throttled[0])
    assert [503, 200] == [http.get(GROUPS).status_code for _ in range(2)]


def test_answers_can_be_slow_broken_and_cut(graph: FakeGraph, tenant: FakeTenant, http: httpx.Client) -> None:
    tenant.add_user()
    graph.faults.slow(1, 0.5)
    with pytest.raises(httpx.ReadTimeout):
        http.get(USERS, timeout=0.05)
    graph.faults.damage(1, "broken_json")
    with pytest.raises(json.JSONDecodeError):
        http.get(USERS).raise_for_status().json()
    graph.faults.damage(1, "cut")
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(USERS)
    assert 200 == http.get(USERS).status_code


def test_the_clock_of_the_service_can_be_wrong(graph: FakeGraph, http: httpx.Client) -> None:
    graph.faults.clock_skew_s = 3600
    ahead = parsedate_to_datetime(http.get(USERS).headers["Date"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead < timedelta(minutes=61)


def test_requests_are_on_record_without_their_tokens(graph: FakeGraph, tenant: FakeTenant, http: httpx.Client) -> None:
    http.get(USERS, headers={"Prefer": "odata.maxpagesize=5"})
    [seen] = graph.requests_to("/v1.0/users", tenant.ms_tenant_id)
    assert ("GET", "/v1.0/users/delta", False) == (seen.method, seen.path, seen.in_batch)
    assert "odata.maxpagesize=5" == seen.headers["prefer"]
    assert seen.query["$select"].startswith("id,")
    assert "Bearer" not in repr(graph.requests)


# Batches


def test_each_part_of_a_batch_succeeds_and_fails_alone(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client
) -> None:
    group = tenant.add_group("TPL-Frontline", [tenant.add_user()])
    graph.faults.throttle(1, "7", path="/v1.0/subscribedSkus")
    parts = [
        {"id": "1", "method": "GET", "url": f"/groups/{group}/transitiveMembers?$select=id"},
        {"id": "2", "method": "GET", "url": "/subscribedSkus"},
        {"id": "3", "method": "GET", "url": "/subscribedSkus", "dependsOn": ["2"]},
    ]
    answer = http.post("/$batch", json={"requests": parts})
    found = {part["id"]: part for part in answer.json()["responses"]}
    assert {"1": 200, "2": 429, "3": 424} == {name: part["status"] for name, part in found.items()}
    assert "7" == found["2"]["headers"]["Retry-After"]
    assert 1 == len(found["1"]["body"]["value"])
    assert [True, True] == [request.in_batch for request in graph.requests[1:]]
    assert 400 == http.post("/$batch", json={"requests": parts[:1] * 2}).status_code, "ids are unique"


# Change notifications


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def wish(url: str, resource: str = "/users", **more: Any) -> Json:
    until = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = {"changeType": "updated,deleted", "notificationUrl": url, "lifecycleNotificationUrl": url}
    return asked | {"resource": resource, "expirationDateTime": until, "clientState": "k3-invented"} | more


def test_a_change_is_told_to_who_subscribed_after_a_handshake(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client, receiver: Receiver
) -> None:
    made = http.post("/subscriptions", json=wish(receiver.url))
    assert 201 == made.status_code
    receiver.failures = 1
    user = tenant.add_user()
    eventually(lambda: receiver.notes)
    [note] = receiver.notes
    assert ("updated", f"Users/{user}", "k3-invented", made.json()["id"], tenant.ms_tenant_id) == (
        note["changeType"], note["resource"], note["clientState"], note["subscriptionId"], note["tenantId"]
    )  # fmt: skip
    graph.faults.drop_notifications = True
    tenant.change_user(user, displayName="Ada")
    graph.faults.drop_notifications = False
    tenant.remove_user(user, hard=True)
    eventually(lambda: len(receiver.notes) >= 2)
    assert ["updated", "deleted"] == [note["changeType"] for note in receiver.notes]
    graph.subscriptions.tell_lifecycle(tenant.ms_tenant_id, "reauthorizationRequired")
    eventually(lambda: len(receiver.notes) == 3)
    assert ("reauthorizationRequired", False) == (
        receiver.notes[2]["lifecycleEvent"], "changeType" in receiver.notes[2]
    )  # fmt: skip


def test_membership_changes_are_told_with_a_removal_that_is_a_string(
    tenant: FakeTenant, http: httpx.Client, receiver: Receiver
) -> None:
    ada, bo = tenant.add_user(), tenant.add_user()
    group = tenant.add_group("TPL-Frontline", [ada])
    assert 201 == http.post("/subscriptions", json=wish(receiver.url, f"/groups/{group}/members")).status_code
    tenant.change_group(group, displayName="TPL-Night")
    tenant.set_group_members(group, [bo])
    eventually(lambda: receiver.notes)
    told = receiver.notes[0]["resourceData"]["members@delta"]
    assert {ada: "deleted", bo: None} == {member["id"]: member.get("@removed") for member in told}


def test_subscriptions_are_refused_renewed_and_ended(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client, receiver: Receiver
) -> None:
    receiver.greets = False
    assert (400, "InvalidRequest") == code(http.post("/subscriptions", json=wish(receiver.url)))
    nobody = f"http://{HOST}:{free_port()}/"
    assert (400, "InvalidRequest") == code(http.post("/subscriptions", json=wish(nobody)))
    receiver.greets = True
    too_late = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    for until in (too_late, "tomorrow", "2026-06-01T10:00:00", "2020-01-01T00:00:00Z"):
        asked = wish(receiver.url, expirationDateTime=until)
        assert (400, "InvalidRequest") == code(http.post("/subscriptions", json=asked)), until
    made = http.post("/subscriptions", json=wish(receiver.url)).json()
    assert (409, "Conflict") == code(http.post("/subscriptions", json=wish(receiver.url)))
    path = f"/subscriptions/{made['id']}"
    later = {"expirationDateTime": (datetime.now(UTC) + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert later["expirationDateTime"] == http.patch(path, json=later).json()["expirationDateTime"]
    assert 204 == http.post(f"{path}/reauthorize").status_code
    assert [made["id"]] == ids([http.get("/subscriptions").json()])
    with client(graph, graph.add_tenant()) as other:
        assert 404 == other.get(path).status_code
    assert 204 == http.delete(path).status_code
    assert 404 == http.patch(path, json=later).status_code
    tenant.permissions.remove("User.Read.All")
    assert 403 == http.post("/subscriptions", json=wish(receiver.url)).status_code


def test_a_tenant_has_a_hundred_subscriptions_at_most_listed_page_by_page(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client, receiver: Receiver
) -> None:
    made = http.post("/subscriptions", json=wish(receiver.url)).json()["id"]
    held = [made, *(graph.subscriptions.double(made) for _ in range(99))]
    assert (403, "Forbidden") == code(http.post("/subscriptions", json=wish(receiver.url, "/groups")))
    graph.subscriptions.page_size = 40
    read = pages(http, "/subscriptions")
    assert ([40, 40, 20], held) == ([len(page["value"]) for page in read], ids(read))
    graph.subscriptions.drop(made)
    assert 201 == http.post("/subscriptions", json=wish(receiver.url, "/groups")).status_code
    graph.subscriptions.ahead = timedelta(days=3)
    assert [] == ids(pages(http, "/subscriptions"))


# Microsoft's own schemas


@pytest.fixture(scope="module")
def schemas() -> Json:
    return microsofts_schemas()


def full_tenant(tenant: FakeTenant) -> tuple[str, str]:
    """Fill a tenant with one of everything; return a user and a group."""
    user, robot = tenant.add_user(department=None, mail=None), tenant.add_user(userType="Guest")
    for part_number in ("MCOEV", "PHONESYSTEM_VIRTUALUSER"):
        tenant.own_sku(part_number, 5)
    tenant.set_licenses(user, "ENTERPRISEPREMIUM", "MCOEV")
    tenant.set_voice(user, enabled=True, routing_policy="FR-National")
    tenant.assign_number(user, "+33199001001", "operatorConnect")
    tenant.assign_number(robot, "+33199001002", "directRouting", status="voiceApplicationAssigned")
    tenant.add_number("+33199001003", "callingPlan", service=True)
    tenant.remove_user(tenant.add_user())
    inner = tenant.add_group("TPL-Inner", [robot])
    group = tenant.add_group("TPL-Frontline", [user, inner])
    tenant.remove_group(tenant.add_group("Gone"))
    return user, group


def test_every_answer_fits_microsofts_schemas(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client, receiver: Receiver, schemas: Json
) -> None:
    user, group = full_tenant(tenant)
    asked = [
        USERS, GROUPS, f"/users/{user}", f"/groups/{group}", f"/groups/{group}/members",
        f"/groups/{group}/transitiveMembers", "/subscribedSkus", CONFIGURATIONS, f"{CONFIGURATIONS}/{user}", NUMBERS,
        "/subscriptions",
    ]  # fmt: skip
    made = http.post("/subscriptions", json=wish(receiver.url))
    check_answer(schemas, made)
    for url in asked:
        answer = http.get(url)
        assert 200 == answer.status_code
        check_answer(schemas, answer)
    check_answer(schemas, http.post("/$batch", json={"requests": [{"id": "1", "method": "GET", "url": NUMBERS}]}))
    tenant.set_group_members(group, [])
    tenant.remove_user(user, hard=True)
    delta = http.get(http.get(GROUPS).json()["@odata.deltaLink"])
    check_answer(schemas, delta)


def test_every_refusal_fits_microsofts_schemas(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client, schemas: Json
) -> None:
    link = http.get(USERS).json()["@odata.deltaLink"]
    for gone in (False, True):
        graph.faults.expire_delta_tokens(tenant.ms_tenant_id, gone=gone)
        check_answer(schemas, http.get(link))
    graph.faults.throttle(1)
    graph.faults.fail(1, 500)
    graph.faults.fail(1, 503, "2")
    for expected in (429, 500, 503):
        answer = http.get(USERS)
        assert expected == answer.status_code
        check_answer(schemas, answer)
    tenant.permissions.clear()
    for url in (USERS, CONFIGURATIONS):
        check_answer(schemas, http.get(url))
    graph.sign_in.revoke(tenant.ms_tenant_id)
    check_answer(schemas, http.get(USERS))


def test_notifications_fit_microsofts_schema(
    graph: FakeGraph, tenant: FakeTenant, http: httpx.Client, receiver: Receiver, schemas: Json
) -> None:
    for resource in ("/users", "/groups"):
        http.post("/subscriptions", json=wish(receiver.url, resource)).raise_for_status()
    full_tenant(tenant)
    graph.subscriptions.tell_lifecycle(tenant.ms_tenant_id, "missed")
    eventually(lambda: sum("lifecycleEvent" in note for note in receiver.notes) == 2)
    reference = "#/components/schemas/microsoft.graph.changeNotificationCollection"
    check(schemas, {"value": receiver.notes}, {"$ref": reference, "unevaluatedProperties": False})


def test_the_schemas_would_tell_of_a_misspelt_name_and_a_wrong_type(schemas: Json) -> None:
    user = {"$ref": "#/components/schemas/delta.user", "unevaluatedProperties": False}
    check(schemas, {"id": "1", "accountEnabled": None}, user)
    for wrong in ({"acountEnabled": True}, {"accountEnabled": "yes"}, {"assignedPlans": [{"servicePlan": "MCOEV"}]}):
        with pytest.raises(AssertionError):
            check(schemas, {"id": "1", **wrong}, user)
