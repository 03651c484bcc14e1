"""Owns the names of things: tenants, subjects, sources, and the partition that a subject lives in."""

import re
import zlib
from typing import Annotated

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

TENANT_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}\Z"
USER_PATTERN = r"^user:[^\s/A-Z\x00-\x1f]{1,128}\Z"
NUMBER_PATTERN = r"^number:[0-9+*x\[\],-]{1,64}\Z"

_tenant = re.compile(TENANT_PATTERN)
_user = re.compile(USER_PATTERN)
_number = re.compile(NUMBER_PATTERN)

PROVIDER_KEY = "_provider"
"""Key of the provider's own defaults in the `tenants` topic; no tenant id can begin with an underscore."""


def is_tenant(text: str) -> bool:
    """Tell whether the text is a tenant id: 1 to 64 of `a-z 0-9 . _ -`, the first a letter or digit."""
    return _tenant.match(text) is not None


def is_user(text: str) -> bool:
    """Tell whether the text is a user subject, `user:<id>` in lower case."""
    # The pattern has no capital letter of ASCII; only other letters need a closer look.
    return _user.match(text) is not None and (text.isascii() or text == text.lower())


def is_number(text: str) -> bool:
    """Tell whether the text is a number subject, `number:<E.164, short code or dial-plan prefix>`."""
    return _number.match(text) is not None


def subject_key(tenant: str, subject: str) -> bytes:
    """Return the Kafka key of a subject: `tenant/subject` in UTF-8."""
    return f"{tenant}/{subject}".encode()


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a key: CRC32 modulo the number of partitions, librdkafka's default (`consistent`)."""
    return zlib.crc32(key) % partitions


def _tenant_id(text: str) -> str:
    if not is_tenant(text):
        raise ValueError(
            f"a tenant id is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit, not {text[:80]!r}"
        )
    return text


def _subject_id(text: str) -> str:
    if not (is_user(text) or is_number(text)):
        raise ValueError(
            "a subject is user:<id> in lower case, or number:<E.164, short code or dial-plan prefix>,"
            f" not {text[:160]!r}"
        )
    return text


def _published(*patterns: str) -> WithJsonSchema:
    # JSON Schema has the regular expressions of ECMAScript, where the end is $ and never lies before a line break.
    pattern = "|".join(pattern.replace(r"\Z", "$") for pattern in patterns)
    return WithJsonSchema({"type": "string", "pattern": pattern})


TenantId = Annotated[str, AfterValidator(_tenant_id), _published(TENANT_PATTERN)]
SubjectId = Annotated[str, AfterValidator(_subject_id), _published(USER_PATTERN, NUMBER_PATTERN)]
SourceName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
