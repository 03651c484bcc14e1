"""Owns what a fake tenant counts, by what it is: the other side of every comparison."""

from tests.support.graph.directory import FakeTenant

_FACTORS = {"directRouting": "direct_routing", "operatorConnect": "operator_connect"}
_SERVICES = ("voiceApplicationAssigned", "conferenceAssigned")


def expected_factors(fake: FakeTenant, *template_groups: str) -> dict[str, str]:
    """Return who counts, and as what; gateways and dial plans are not looked at."""
    members = {user for group in template_groups for user in fake.transitive_members(group)}
    expected = {f"user:{user}": "lifecycle" for user in members if user in fake.users}
    for number, row in fake.numbers.items():
        holder, status = row["assignmentTargetId"], row["assignmentStatus"]
        if status in _SERVICES:
            expected[f"number:{number}"] = "service_number"
        elif (status, row["assignmentCategory"]) == ("userAssigned", "primary") and fake.exists(holder):
            voice = fake.configurations[holder]["isEnterpriseVoiceEnabled"]
            if row["numberType"] in _FACTORS and (voice or row["numberType"] == "operatorConnect"):
                expected[f"user:{holder}"] = _FACTORS[row["numberType"]]
    return expected
