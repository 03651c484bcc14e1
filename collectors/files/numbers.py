"""Owns the format of `Get-CsPhoneNumberAssignment | Export-Csv`: it feeds phone_number and service_number."""

from collectors.files.formats import Format, ReadOptions, RowReader
from collectors.files.rows import Observation, Remark
from collectors.files.table import Columns
from collectors.files.values import number_subject, text_of, user_subject
from schemas.events import FacetName

_TYPES = {"directrouting": "directRouting", "callingplan": "callingPlan", "operatorconnect": "operatorConnect"}
SERVICE_KINDS = {"conferenceassigned": "conference", "voiceapplicationassigned": "auto_attendant"}
_NEITHER = frozenset({"unassigned", "policyassigned", "thirdpartyappassigned"})


def _facets(_columns: Columns) -> frozenset[FacetName]:
    return frozenset({"phone_number", "service_number"})


def number_type_of(text: str | None) -> str | None:
    """Return the number type as the contract writes it; another one is kept as it is."""
    return None if text is None else _TYPES.get(text.replace(" ", "").lower(), text)


def _reader(columns: Columns, _options: ReadOptions) -> RowReader:
    telephone, number_type = text_of(columns, "TelephoneNumber"), text_of(columns, "NumberType")
    status_of, holder = text_of(columns, "PstnAssignmentStatus"), text_of(columns, "AssignedPstnTargetId")
    category = text_of(columns, "AssignmentCategory")

    def read(cells: list[str], remarks: list[Remark]) -> list[Observation]:
        subject = number_subject(telephone(cells, remarks), "TelephoneNumber")
        number = subject.removeprefix("number:")
        status = status_of(cells, remarks) or "Unassigned"
        folded = status.replace(" ", "").lower()
        if folded in SERVICE_KINDS:
            facts = {"number": number, "kind": SERVICE_KINDS[folded], "held_by_user": False}
            return [Observation("service_number", subject, facts)]
        if folded == "userassigned":
            user = user_subject(holder(cells, remarks), "AssignedPstnTargetId")
            if (category(cells, remarks) or "Primary").lower() != "primary":
                remarks.append(Remark("not_primary"))
                return []
            facts = {"number": number, "number_type": number_type_of(number_type(cells, remarks))}
            return [Observation("phone_number", user, facts)]
        if folded not in _NEITHER:
            remarks.append(Remark("status_unknown", status[:60]))
        return []

    return read


NUMBERS = Format(
    "numbers",
    "numbers-file",
    (("TelephoneNumber",), ("NumberType",), ("PstnAssignmentStatus",), ("AssignedPstnTargetId",)),
    _facets,
    _reader,
)
