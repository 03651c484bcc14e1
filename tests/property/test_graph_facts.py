"""Whatever Microsoft Graph sends is an observation that the contract takes, nothing, or refused in words."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from collectors.graph.mapping.facts import AccountKind, Observation, account, directory, number
from collectors.graph.mapping.groups import lifecycle, member, memberships
from collectors.graph.mapping.plans import is_resource_account, subscribed_sku, subscription
from collectors.graph.mapping.values import MalformedEntryError
from collectors.outgoing import observation
from schemas.events import FACTS, EventModel

ID = "5d2f0a51-7c0e-4d0b-9c0f-1f7b0a6c3e11"
MCOEV = "4828c8ec-dc2e-4779-b502-87ac9ce28ab7"
VIRTUAL = "f47330e9-c134-43b3-9993-e7f004506889"
KINDS: dict[str, AccountKind] = {"user:resource": "resource_account", "user:guest": "guest"}

ANY_LETTERS = st.characters(exclude_categories=())
TEXTS = st.text(ANY_LETTERS, max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
IDS = st.sampled_from([ID, ID, ID.upper(), "Resource", "guest", " x ", "a b", "a/b", "", "\ud83d"])


def objects(*required: str, **properties: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Sound objects, of which every other one has up to two properties replaced or added."""
    always = {name: value for name, value in properties.items() if name in required}
    sometimes = {name: value for name, value in properties.items() if name not in required}
    sound = st.fixed_dictionaries(always, optional=sometimes)
    odd = st.dictionaries(st.sampled_from(list(properties)) | TEXTS, JSON, max_size=2)
    return st.booleans().flatmap(lambda is_odd: st.builds(dict.__or__, sound, odd) if is_odd else sound)


def lists(element: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(element, max_size=3)


STATUSES = st.sampled_from(["Enabled", "Warning", "Suspended", "Deleted", "hologram"])
PLANS = objects(servicePlanId=st.sampled_from([MCOEV, MCOEV.upper(), VIRTUAL, "other"]), capabilityStatus=STATUSES)
USERS = objects(
    "id",
    **{"@removed": st.none() | objects(reason=st.sampled_from(["changed", "deleted", "hologram"]))},
    id=IDS,
    userPrincipalName=TEXTS,
    displayName=TEXTS,
    accountEnabled=st.booleans(),
    userType=st.sampled_from(["Member", "Guest"]),
    assignedLicenses=lists(objects(skuId=IDS)),
    assignedPlans=lists(PLANS),
)
POLICIES = objects(
    policyType=st.sampled_from(["OnlineVoiceRoutingPolicy", "TeamsCallingPolicy"]),
    policyAssignment=objects(displayName=TEXTS),
)
CONFIGURATIONS = objects(
    "id",
    id=IDS,
    accountType=st.sampled_from(["user", "resourceAccount", "guest", "sfbOnPremUser", "hologram"]),
    isEnterpriseVoiceEnabled=st.booleans(),
    effectivePolicyAssignments=lists(POLICIES),
)
ASSIGNMENTS = objects(
    "telephoneNumber",
    "assignmentStatus",
    "assignmentTargetId",
    telephoneNumber=st.sampled_from(
        ["+33199001001", "+33199001002", "tel:+33199001001;ext=7", "+33 (1) 99", ";ext=7", "Ada"]
    ),
    numberType=st.sampled_from(["directRouting", "operatorConnect", "hologram"]),
    assignmentStatus=st.sampled_from(
        ["userAssigned"] * 3 + ["conferenceAssigned", "thirdPartyAppAssigned", "unassigned"]
    ),
    assignmentCategory=st.sampled_from(["primary", "private", "hologram"]),
    assignmentTargetId=IDS,
)
MEMBERS = objects("id", **{"@odata.type": st.sampled_from(["#microsoft.graph.user", "#microsoft.graph.group"])}, id=IDS)
SKUS = objects(
    "skuId",
    skuId=IDS,
    skuPartNumber=TEXTS,
    consumedUnits=st.integers(),
    prepaidUnits=objects(enabled=st.integers(), warning=st.integers()),
    servicePlans=lists(PLANS),
)


def result(read: Callable[[Any], Any], entry: object) -> Any:
    """Return what is read, or the sentence of the refusal; any other exception fails the test."""
    try:
        return read(entry)
    except MalformedEntryError as error:
        return str(error)


def turned(value: Any) -> Any:
    """Return the same value, the keys of its objects the other way round."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return [turned(element) for element in value] if isinstance(value, list) else value


def accepted(observed: Observation) -> None:
    """Check that the event reaches the contract's models as it was meant: nothing refused, nothing lost."""
    event = observation("acme", observed.facet, observed.subject, "2026-05-04T10:11:12.000Z", "graph", observed.facts)
    model = EventModel.validate_python(msgspec.json.decode(event.value))
    facts = None if model.facts is None else model.facts.model_dump(exclude_none=True)
    assert observed.facts == facts
    assert set(observed.facts or {}) <= set(FACTS[observed.facet].model_fields)


def subscription_of(entry: object) -> Observation | None:
    return subscription(entry, {MCOEV: "NAME"})


def number_of(entry: object) -> Observation | None:
    return number(entry, KINDS)


def voice_of(entry: object) -> Observation | None:
    return account(entry).voice


@given(USERS | JSON)
def test_users(entry: object) -> None:
    for read in (directory, subscription_of):
        observed = result(read, entry)
        assert observed == result(read, turned(entry))
        if isinstance(observed, Observation):
            accepted(observed)
    assert result(is_resource_account, entry) == result(is_resource_account, turned(entry))


@given(CONFIGURATIONS | JSON)
def test_user_configurations(entry: object) -> None:
    assert result(account, entry) == result(account, turned(entry))
    observed = result(voice_of, entry)
    if isinstance(observed, Observation):
        accepted(observed)


@given(ASSIGNMENTS | JSON)
def test_number_assignments(entry: object) -> None:
    observed = result(number_of, entry)
    assert observed == result(number_of, turned(entry))
    if isinstance(observed, Observation):
        accepted(observed)
        assert observed.subject not in KINDS


@given(SKUS | JSON)
def test_subscribed_skus(entry: object) -> None:
    assert result(subscribed_sku, entry) == result(subscribed_sku, turned(entry))


SUBJECTS = st.sampled_from(["user:ada", "user:ben", "user:cy"])
GROUPS = st.dictionaries(st.sampled_from(["g1", "g2", "g3"]), st.lists(SUBJECTS, max_size=4))


@given(st.lists(MEMBERS | JSON, max_size=6))
def test_members(entries: list[object]) -> None:
    subjects = [result(member, entry) for entry in entries]
    assert subjects == [result(member, turned(entry)) for entry in entries]
    users = [subject for subject in subjects if subject is not None and subject.startswith("user:")]
    for observed in [lifecycle(*found) for found in memberships({"g1": users}, {}).items()]:
        accepted(observed)


@given(GROUPS)
def test_memberships_name_each_group_of_a_user_once(members: dict[str, list[str]]) -> None:
    found = memberships(members, {"g1": "One"})
    assert found == memberships(turned(members), {"g1": "One"})
    for subject, groups in found.items():
        of_subject = {"One" if group == "g1" else group for group, held in members.items() if subject in held}
        assert sorted(of_subject) == list(groups)
    assert found.keys() == {subject for held in members.values() for subject in held}
