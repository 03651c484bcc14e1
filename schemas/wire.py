"""Owns the fast decoder of the meter's hot path: msgspec structs made from the pydantic models, so neither can drift.

What it accepts is what the models accept (a property test holds them together); how a rejection is worded is pydantic's
(`schemas.intake`).
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from schemas.events import FACTS, Facts
from schemas.times import AwareTime

_Source = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class WireObservation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One decoded facet event, as `schemas.events` describes it; `facts` is a struct of the facet, None = cleared."""

    tenant: str
    subject: str
    observed_at: AwareTime
    facts: Any
    source: _Source = "unknown"


class WireSync(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag="sync_completed"):
    """One decoded `sync_completed`."""

    tenant: str
    facet: str
    started_at: AwareTime
    source: _Source = "unknown"

    @property
    def at(self) -> datetime:
        """The instant that must not lie ahead of the record."""
        return self.started_at


class WireConfirmed(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag="facet_confirmed"):
    """One decoded `facet_confirmed`."""

    tenant: str
    facet: str
    observed_at: AwareTime
    source: _Source = "unknown"

    @property
    def at(self) -> datetime:
        """The instant that must not lie ahead of the record."""
        return self.observed_at


WireEvent = WireObservation | WireSync | WireConfirmed


def _facts_struct(facet: str, model: type[Facts], *, strict: bool) -> type[msgspec.Struct]:
    # Sorted fields, no nulls and no spaces: encoding one yields the canonical JSON that ties are decided by
    # (LICENSE-FACTORS §5). Times stay text here and are normalised by `schemas.intake`, for they are rare.
    fields: list[tuple[str, Any, Any]] = [
        (name, (str | None) if name.endswith("_at") else field.annotation, None)
        for name, field in sorted(model.model_fields.items())
    ]
    return msgspec.defstruct(
        f"{facet}_facts", fields, frozen=True, gc=False, omit_defaults=True, kw_only=True, forbid_unknown_fields=strict
    )


def _event_struct(facet: str, *, strict: bool) -> Any:
    facts = _facts_struct(facet, FACTS[facet], strict=strict)
    return msgspec.defstruct(
        facet,
        [("facts", facts | None)],
        bases=(WireObservation,),
        frozen=True,
        gc=False,
        kw_only=True,
        tag_field="type",
        tag=facet,
        namespace={"facet": facet, "number": tuple(FACTS).index(facet)},
    )


def _any_event(*, strict: bool) -> Any:
    union: Any = WireSync | WireConfirmed
    for facet in FACTS:
        union = union | _event_struct(facet, strict=strict)
    return union


_strict_event = _any_event(strict=True)

decode_known: Any = msgspec.json.Decoder(_strict_event | list.__class_getitem__(_strict_event)).decode
"""Decode an event or an array, refusing facts that no model names: the common case, in one pass and without a count of
the unknown. Raises msgspec.ValidationError or DecodeError for anything else."""

decode_lenient: Any = msgspec.json.Decoder(_any_event(strict=False)).decode
"""Decode one event, leaving out the facts that no model names."""

canonical_json: Any = msgspec.json.Encoder().encode
"""Encode a facts struct as canonical JSON: sorted keys, no spaces, UTF-8, known facts that are not null."""

FACTS_OF: dict[str, Any] = {
    facet: msgspec.json.Decoder(_facts_struct(facet, model, strict=False)).decode for facet, model in FACTS.items()
}
"""Decode the facts of a facet, by its name."""
