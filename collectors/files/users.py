"""Owns the format of `Get-CsOnlineUser | Export-Csv`: it feeds directory and voice."""

from collectors.files.formats import Format, ReadOptions, RowReader
from collectors.files.rows import Observation, Remark
from collectors.files.table import Columns
from collectors.files.values import boolean, phone_number, split_list, text_of, user_subject
from schemas.events import FacetName

_DIRECTORY = (
    "UserPrincipalName", "DisplayName", "SipAddress", "AccountEnabled", "InterpretedUserType", "SoftDeletionTimestamp",
)  # fmt: skip
_VOICE = ("EnterpriseVoiceEnabled", "OnlineVoiceRoutingPolicy")
_PLANS_OF_TEAMS_PHONE = frozenset({"mcoev", "mcoevsmb", "mcoev_gov", "phonesystem"})
RESOURCE_ACCOUNT = "resourceAccount"


def _facets(columns: Columns) -> frozenset[FacetName]:
    # A facet is replaced whole: one that the file does not show must not be replaced by nothing.
    facets: set[FacetName] = set()
    if columns.has_any(_DIRECTORY):
        facets.add("directory")
    if columns.has_any(_VOICE):
        facets.add("voice")
    return frozenset(facets)


def user_type_of(interpreted: str | None) -> str | None:
    """Return the user type; a resource account is one, whatever its home (`PureOnlineApplicationInstance`, …)."""
    folded = (interpreted or "").lower()
    if "applicationinstance" in folded or "resourceaccount" in folded:
        return RESOURCE_ACCOUNT
    return interpreted


def _reader(columns: Columns, options: ReadOptions) -> RowReader:
    object_id, identity = text_of(columns, "ObjectId"), text_of(columns, "Identity")
    upn, name, sip = (text_of(columns, column) for column in ("UserPrincipalName", "DisplayName", "SipAddress"))
    enabled, kind = text_of(columns, "AccountEnabled"), text_of(columns, "InterpretedUserType")
    deleted = text_of(columns, "SoftDeletionTimestamp")
    voice, policy = text_of(columns, "EnterpriseVoiceEnabled"), text_of(columns, "OnlineVoiceRoutingPolicy")
    line_uri = text_of(columns, "LineUri")
    plans, features = text_of(columns, "AssignedPlan"), text_of(columns, "FeatureTypes")
    facets = _facets(columns)
    tells_deletion = "SoftDeletionTimestamp" in columns

    def read(cells: list[str], remarks: list[Remark]) -> list[Observation]:
        subject = user_subject(object_id(cells, remarks) or identity(cells, remarks), "ObjectId (else Identity)")
        user_type = user_type_of(kind(cells, remarks))
        observations: list[Observation] = []
        if "directory" in facets:
            facts = {
                "display_name": name(cells, remarks),
                "user_principal_name": upn(cells, remarks),
                "sip_address": sip(cells, remarks),
                "account_enabled": boolean(enabled(cells, remarks), "AccountEnabled"),
                "deleted": deleted(cells, remarks) is not None if tells_deletion else None,
                "user_type": user_type,
            }
            observations.append(Observation("directory", subject, facts))
        if "voice" in facets:
            enterprise_voice = boolean(voice(cells, remarks), "EnterpriseVoiceEnabled")
            observations.append(
                Observation(
                    "voice", subject, {"enterprise_voice": enterprise_voice, "routing_policy": policy(cells, remarks)}
                )
            )
        number = phone_number(line_uri(cells, remarks))
        # A resource account's number counts as a service number: as a user it would count twice.
        if number is not None and user_type != RESOURCE_ACCOUNT:
            if options.assume_number_type is None:
                remarks.append(Remark("number_type_unknown"))
            else:
                facts = {"number": number, "number_type": options.assume_number_type}
                observations.append(Observation("phone_number", subject, facts, assumed=True))
        held = split_list(plans(cells, remarks)) + split_list(features(cells, remarks))
        if any(plan.lower() in _PLANS_OF_TEAMS_PHONE for plan in held):
            remarks.append(Remark("teams_phone_plan"))
        return observations

    return read


USERS = Format("users", "users-file", (("ObjectId", "Identity"), _DIRECTORY + _VOICE), _facets, _reader)
