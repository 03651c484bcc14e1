"""Owns the erasure of a subject in ClickHouse: its history is kept under a pseudonym and without facts, so that every
figure of the past stays what it was; nothing else of it stays.

The pseudonym is a hash of what is erased with it: the ids of the subject's changes, which are hashes of its facts. So
an erasure that a crash cut short goes on under the same one, and nobody can make it of a name that he guesses.
"""

import hashlib
from datetime import datetime

from portal.ports import Erased
from portal.store.clients import Clients, ask, at_ms
from schemas.times import to_ms

_OF_SUBJECT = "tenant = {tenant:String} AND subject = {subject:String}"
_UNTIL = f"{_OF_SUBJECT} AND rev <= {{rev:UInt64}}"
_IDS = f"SELECT id FROM seat_changes FINAL WHERE {_UNTIL} ORDER BY rev"
_LAST = f"SELECT max(rev) FROM subject_profiles WHERE {_OF_SUBJECT}"
_COLUMNS = (
    "tenant, subject, rev, id, kind, facet, facts, facts_hash, source, observed_at, recorded_at, old_profile,"
    " new_profile, settings_revision, epoch"
)
_ID = "lower(hex(MD5(concat({pseudonym:String}, '/', toString(rev)))))"
_HISTORY = f"""INSERT INTO seat_changes ({_COLUMNS})
SELECT tenant, {{pseudonym:String}}, rev, {_ID} AS id, kind, facet, '' AS facts, '' AS facts_hash, source, observed_at,
    recorded_at, old_profile, new_profile, settings_revision, epoch
FROM seat_changes FINAL WHERE {_UNTIL}"""
# Not known any more: a start on an empty broker does not bring the pseudonym back as a subject.
_END = f"""INSERT INTO seat_changes ({_COLUMNS})
SELECT tenant, {{pseudonym:String}}, last + 1 AS rev, {_ID} AS id, 'removed', '', '', '', '', now, now, profile, 0, 0, 0
FROM (
    SELECT tenant, max(rev) AS last, argMax(new_profile, rev) AS profile, {at_ms("at")} AS now
    FROM seat_changes WHERE {_UNTIL} GROUP BY tenant
)"""
_TABLES = ("seat_facets", "subject_profiles", "seat_changes")
# The newest count names a subject as an example of what moved it.
_EXAMPLE = """ALTER TABLE latest_counts UPDATE count = replaceAll(count, {quoted:String}, {instead:String})
WHERE tenant = {tenant:String} AND position(count, {quoted:String}) > 0"""
# Rewritten at once: a lightweight delete only hides rows until some merge.
_AT_ONCE = {"mutations_sync": 2}


def last_rev(clients: Clients, tenant: str, subject: str) -> int:
    """Return the newest revision of a subject, 0 for one that was never heard of."""
    return int(ask(clients, _LAST, {"tenant": tenant, "subject": subject})[0][0])


def erase(clients: Clients, tenant: str, subject: str, until_rev: int, at: datetime) -> Erased:
    """Erase a subject up to a revision; what was told of it later stays, for it has come back. Doing it twice changes
    nothing."""
    parameters = {"tenant": tenant, "subject": subject, "rev": until_rev}
    ids = [change for (change,) in ask(clients, _IDS, parameters)]
    pseudonym = _pseudonym(subject, ids)
    more = parameters | {"pseudonym": pseudonym, "at": to_ms(at)}
    quoted = {"tenant": tenant, "quoted": f'"{subject}"', "instead": f'"{pseudonym}"'}
    with clients.lease() as client:
        # 1. History under the pseudonym. After a crash both are there, and are so once more.
        client.command(_HISTORY, parameters=more)
        client.command(_END, parameters=more)
        # 2. The subject itself, its changes last: after a crash they give the same pseudonym.
        client.command(_EXAMPLE, parameters=quoted, settings=_AT_ONCE)
        for table in _TABLES:
            client.command(f"ALTER TABLE {table} DELETE WHERE {_UNTIL}", parameters=parameters, settings=_AT_ONCE)
    return Erased(pseudonym, len(ids))


def _pseudonym(subject: str, ids: list[str]) -> str:
    digest = hashlib.sha256("/".join(ids).encode()).digest()
    if subject.startswith("user:"):
        return f"user:forgotten-{digest[:8].hex()}"
    return f"number:*{int.from_bytes(digest[:8], 'big'):020d}"
