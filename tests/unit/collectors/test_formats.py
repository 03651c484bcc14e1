"""What each kind of file says of users and numbers (INTERFACE §5), and what it leaves out."""

from pathlib import Path

import pytest

from collectors.importer import ImportKind
from collectors.publisher import MemoryPublisher
from collectors.summary import ImportSummary
from tests.unit.collectors.importing import events_of, facts_of, imported, rejections_by_the_meter, write


def read(
    kind: ImportKind, text: str, tmp_path: Path, **options: object
) -> tuple[dict[tuple[str, str], object], ImportSummary]:
    publisher = MemoryPublisher(8)
    summary = imported(kind, write(tmp_path / "file.csv", text), publisher=publisher, **options)  # type: ignore[arg-type]
    assert not rejections_by_the_meter(publisher)
    return facts_of(publisher), summary


def test_users_feed_directory_and_voice(tmp_path: Path) -> None:
    facts, _ = read(
        "users",
        "ObjectId,UserPrincipalName,DisplayName,SipAddress,EnterpriseVoiceEnabled,OnlineVoiceRoutingPolicy,AccountEnabled,"
        "InterpretedUserType,SoftDeletionTimestamp\n"
        "AB-1,a@acme.example,Ana,sip:a@acme.example,TRUE,National,False,PureOnlineTeamsOnlyUser,\n",
        tmp_path,
    )
    directory = {
        "display_name": "Ana", "user_principal_name": "a@acme.example", "sip_address": "sip:a@acme.example",
        "account_enabled": False, "deleted": False, "user_type": "PureOnlineTeamsOnlyUser",
    }  # fmt: skip
    voice = {"enterprise_voice": True, "routing_policy": "National"}
    assert {("directory", "user:ab-1"): directory, ("voice", "user:ab-1"): voice} == facts


def test_a_facet_that_the_columns_do_not_show_is_not_fed(tmp_path: Path) -> None:
    facts, summary = read("users", "Identity,EnterpriseVoiceEnabled\nu1,True\n", tmp_path)
    assert {("voice", "user:u1"): {"enterprise_voice": True}} == facts
    assert ["voice"] == [sync.facet for sync in summary.syncs]


def test_identity_stands_in_for_an_empty_object_id(tmp_path: Path) -> None:
    facts, _ = read("users", "ObjectId,Identity,EnterpriseVoiceEnabled\n,u1,True\nu2,other,True\n", tmp_path)
    assert {("voice", "user:u1"), ("voice", "user:u2")} == set(facts)


def test_an_empty_boolean_is_unknown(tmp_path: Path) -> None:
    facts, _ = read("users", "ObjectId,EnterpriseVoiceEnabled\nu1,\n", tmp_path)
    assert {("voice", "user:u1"): {}} == facts


def test_a_soft_deletion_time_means_deleted(tmp_path: Path) -> None:
    facts, _ = read("users", "ObjectId,SoftDeletionTimestamp\nu1,11/20/2026 9:14:02 AM\n", tmp_path)
    assert {("directory", "user:u1"): {"deleted": True}} == facts


def test_numbers_without_a_type_are_counted_and_said(tmp_path: Path) -> None:
    facts, summary = read(
        "users",
        "ObjectId,DisplayName,LineUri,InterpretedUserType\n"
        "u1,A,tel:+15550100001;ext=7,PureOnlineTeamsOnlyUser\nu2,B,,PureOnlineTeamsOnlyUser\n"
        "u3,R,tel:+15550100003,HybridOnlineApplicationInstance\n",
        tmp_path,
    )
    assert 1 == summary.number_type_unknown
    assert any("import the numbers" in note and "--assume-number-type" in note for note in summary.notes)
    assert not any(facet == "phone_number" for facet, _ in facts)


def test_an_assumed_number_type_is_observed_at_1970_by_assumption(tmp_path: Path) -> None:
    publisher = MemoryPublisher(8)
    text = (
        "ObjectId,DisplayName,LineUri,InterpretedUserType\n"
        "u1,A,tel:+15550100001;ext=7,\nu3,R,tel:+15550100003,ResourceAccount\n"
    )
    summary = imported(
        "users", write(tmp_path / "u.csv", text), publisher=publisher, assume_number_type="directRouting", source="mine"
    )
    assumed = [event for event in events_of(publisher) if event["type"] == "phone_number"]
    expected = {
        "type": "phone_number", "tenant": "acme", "subject": "user:u1", "source": "assumed",
        "observed_at": "1970-01-01T00:00:00.000Z", "facts": {"number": "+15550100001", "number_type": "directRouting"},
    }  # fmt: skip
    assert [expected] == assumed
    assert 0 == summary.number_type_unknown
    assert "phone_number" not in {sync.facet for sync in summary.syncs}


def test_lists_that_were_not_expanded_are_said_and_not_guessed(tmp_path: Path) -> None:
    facts, summary = read("users", "ObjectId,DisplayName,AssignedPlan\nu1,System.String[],System.Object[]\n", tmp_path)
    assert {("directory", "user:u1"): {}} == facts
    assert ["AssignedPlan", "DisplayName"] == [note.split(": ")[1].split(" holds")[0] for note in summary.notes]


@pytest.mark.parametrize("plans", ["MCOEV;TEAMS1", "TEAMS1,MCOEV", "TEAMS1 mcoev"])
def test_plans_are_read_for_the_summary_alone(plans: str, tmp_path: Path) -> None:
    facts, summary = read("users", f'ObjectId,DisplayName,AssignedPlan\nu1,A,"{plans}"\n', tmp_path)
    assert {("directory", "user:u1"): {"display_name": "A"}} == facts
    assert [
        "1 row whose plans name Teams Phone: import the Microsoft 365 users to count them as licensed"
    ] == summary.notes


SERVICE = ("service_number", "number:+15550100001")
NUMBERS = "TelephoneNumber,NumberType,PstnAssignmentStatus,AssignedPstnTargetId,AssignmentCategory\n"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("+15550100001,DirectRouting,UserAssigned,U1,Primary",
         {("phone_number", "user:u1"): {"number": "+15550100001", "number_type": "directRouting"}}),
        ("+15550100001,operatorconnect,UserAssigned,u1,",
         {("phone_number", "user:u1"): {"number": "+15550100001", "number_type": "operatorConnect"}}),
        ("tel:+15550100001;ext=1,Calling Plan,User Assigned,u1,Primary",
         {("phone_number", "user:u1"): {"number": "+15550100001", "number_type": "callingPlan"}}),
        ("+15550100001,SomethingNew,UserAssigned,u1,Primary",
         {("phone_number", "user:u1"): {"number": "+15550100001", "number_type": "SomethingNew"}}),
        ("+15550100001,DirectRouting,UserAssigned,u1,Private", {}),
        ("+15550100001,DirectRouting,ConferenceAssigned,bridge,",
         {SERVICE: {"number": "+15550100001", "kind": "conference", "held_by_user": False}}),
        ("+15550100001,DirectRouting,VoiceApplicationAssigned,app,Primary",
         {SERVICE: {"number": "+15550100001", "kind": "auto_attendant", "held_by_user": False}}),
        ("+15550100001,DirectRouting,Unassigned,,", {}),
        ("+15550100001,DirectRouting,,,", {}),
        ("+15550100001,DirectRouting,PolicyAssigned,p,", {}),
        ("+15550100001,DirectRouting,ThirdPartyAppAssigned,a,", {}),
        ("+15550100001,DirectRouting,NewStatus,a,", {}),
    ],
)  # fmt: skip
def test_a_number_says_who_holds_it_or_what_it_serves(row: str, expected: object, tmp_path: Path) -> None:
    facts, summary = read("numbers", NUMBERS + row + "\n", tmp_path)
    assert (1, 0) == (summary.read, summary.rejected)
    assert expected == facts


def test_an_unknown_status_is_said(tmp_path: Path) -> None:
    _, summary = read("numbers", NUMBERS + "+15550100001,DirectRouting,NewStatus,a,\n", tmp_path)
    assert ["1 row: the PstnAssignmentStatus 'NewStatus' is not known and feeds nothing"] == summary.notes


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",DirectRouting,UserAssigned,u1,Primary", "no number: TelephoneNumber is empty"),
        ("nonsense,DirectRouting,UserAssigned,u1,Primary", "'nonsense', which is not a number"),
        ("+15550100001,DirectRouting,UserAssigned,,Primary", "no id: AssignedPstnTargetId is empty"),
    ],
)
def test_a_number_without_what_it_needs_is_rejected(row: str, reason: str, tmp_path: Path) -> None:
    _, summary = read("numbers", NUMBERS + row + "\n", tmp_path)
    assert reason in summary.rejections[0].reason


PLAN = "DialPlanName,Name,Prefix,Tag\n"


def test_a_rule_is_a_number_and_keeps_its_range(tmp_path: Path) -> None:
    facts, _ = read(
        "dial-plan", PLAN + "p,Fax,+15550100#,fax\np,Site,1555[0100-0119]#,sbc1\np,Wild,1555XX,\n", tmp_path
    )
    assert {
        ("dial_plan", "number:+15550100"): {"number": "+15550100", "tag": "fax", "name": "Fax"},
        ("dial_plan", "number:1555[0100-0119]"): {"number": "1555[0100-0119]", "tag": "sbc1", "name": "Site"},
        ("dial_plan", "number:1555xx"): {"number": "1555xx", "name": "Wild"},
    } == facts


def test_a_dial_plan_is_recognised_among_numbers(tmp_path: Path) -> None:
    facts, summary = read("numbers", PLAN + "p,Fax,+15550100#,fax\n", tmp_path)
    assert [("dial_plan", "number:+15550100")] == list(facts)
    assert ["dial-plan-file"] == [sync.source for sync in summary.syncs]


@pytest.mark.parametrize(
    ("prefix", "numbers"),
    [
        ("1555[0098-0101]#", ["15550098", "15550099", "15550100", "15550101"]),
        ("1[2-3]5[8-9]", ["1258", "1259", "1358", "1359"]),
        ("1[2,5-6]", ["12", "15", "16"]),
        ("+1555", ["+1555"]),
        ("1[2-3]xx", ["12xx", "13xx"]),
    ],
)
def test_a_range_expands_to_each_of_its_numbers(prefix: str, numbers: list[str], tmp_path: Path) -> None:
    facts, _ = read("dial-plan", PLAN + f'p,Site,"{prefix}",t\n', tmp_path, expand_ranges=True)
    assert [("dial_plan", f"number:{number}") for number in numbers] == list(facts)


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        ("1[9-2]", "does not run upwards"),
        ("1[1-200]", "does not run upwards between ends of one length"),
        ("1[0-", "a bracket without its partner"),
        ("1]0-2[", "a bracket without its partner"),
        ("1[x]", "is not a range"),
        ("1[00000-99999]", "more than 10,000 numbers"),
        ("1[000-999][000-999]", "more than 10,000 numbers"),
        ("#", "no number: Prefix is empty"),
        ("call me", "is not a number"),
    ],
)
def test_a_range_that_is_none_is_rejected(prefix: str, reason: str, tmp_path: Path) -> None:
    _, summary = read("dial-plan", PLAN + f"p,Site,{prefix},t\n", tmp_path, expand_ranges=True)
    assert reason in summary.rejections[0].reason


def test_of_two_rows_with_one_number_the_last_wins_with_a_warning(tmp_path: Path) -> None:
    publisher = MemoryPublisher(8)
    path = write(tmp_path / "plan.csv", PLAN + "p,A,+15550100#,z-first\np,B,+15550101,t\np,C,+15550100,a-last\n")
    summary = imported("dial-plan", path, publisher=publisher)
    newest = max(
        (e for e in events_of(publisher) if e.get("subject") == "number:+15550100"), key=lambda e: e["observed_at"]
    )
    assert "a-last" == newest["facts"]["tag"]
    assert (1, [4]) == (summary.duplicates, [note.line for note in summary.warnings])
    assert [2] == [sync.seen for sync in summary.syncs]


M365 = "Block credential,Display name,Licenses,Object Id,Soft deletion time stamp,User principal name\n"


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        ("Unlicensed", {"skus": [], "teams_phone": False}),
        ("", {"skus": [], "teams_phone": False}),
        ("Office 365 E3", {"skus": ["ENTERPRISEPACK"], "teams_phone": False}),
        ("Microsoft 365 E5", {"skus": ["SPE_E5"], "teams_phone": True}),
        ("office 365 e3+Microsoft Teams Phone Standard", {"skus": ["ENTERPRISEPACK", "MCOEV"], "teams_phone": True}),
        (
            "Enterprise Mobility + Security E5+Office 365 E3",
            {"skus": ["EMSPREMIUM", "ENTERPRISEPACK"], "teams_phone": False},
        ),
        ("Office 365 E3 + Visio Plan 2", {"skus": ["ENTERPRISEPACK", "VISIOCLIENT"], "teams_phone": False}),
        ("Microsoft Teams Phone Resource Account", {"skus": ["PHONESYSTEM_VIRTUALUSER"], "teams_phone": False}),
        ("Office 365 E3+Brand New", {"skus": ["ENTERPRISEPACK", "Brand New"]}),
        ("Brand New+Microsoft 365 E5", {"skus": ["Brand New", "SPE_E5"], "teams_phone": True}),
        ("System.Object[]", {}),
    ],
)
def test_licences_say_the_subscription(licenses: str, expected: object, tmp_path: Path) -> None:
    facts, _ = read("m365", M365 + f"False,Ana,{licenses},U1,,a@acme.example\n", tmp_path)
    assert expected == facts["subscription", "user:u1"]


def test_an_admin_centre_export_is_recognised_among_users(tmp_path: Path) -> None:
    facts, summary = read("users", M365 + "True,Ana,Brand New,u1,2026-11-20 09:14:02Z,a@acme.example\n", tmp_path)
    expected = {
        "display_name": "Ana", "user_principal_name": "a@acme.example", "account_enabled": False, "deleted": True,
    }  # fmt: skip
    assert expected == facts["directory", "user:u1"]
    assert {"Brand New": 1} == summary.unknown_products
    assert {("directory", "m365-file"), ("subscription", "m365-file")} == {(s.facet, s.source) for s in summary.syncs}
