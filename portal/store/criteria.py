"""Owns the questions of a what-if: the values that criteria are tried against, and the facts that criteria look at."""

from collections.abc import Sequence
from itertools import chain

import msgspec

from licensing.what_if import DECIDING_FACTS, TRIED_FACT
from portal.ports import AlikeSubjects, TriedValue
from portal.store.clients import Clients, ask
from portal.store.facts import known_sql

# Left as JSON: a value may hold anything, and must come back as it was written.
_VALUE = "JSONExtractRaw(facts, transform(facet, {tried:Array(String)}, {tried_facts:Array(String)}, ''))"
# A number in place of the value, for values may be many and of any length; few enough to send any number of them. What
# shares a number is judged as well, which does no harm.
_KEY = f"cityHash64({_VALUE}) % 65536"
_TRIED_FACETS = known_sql(f"facet, {_VALUE} AS value", only=" AND facet IN {tried:Array(String)}")
_VALUES = f"""SELECT facet, value, subjects, cityHash64(value) % 65536 FROM (
    SELECT facet, value, count() AS subjects FROM ({_TRIED_FACETS})
    WHERE value NOT IN ('', 'null', '""') GROUP BY facet, value
) ORDER BY subjects DESC, facet, value"""
# Facts cut to those that criteria look at are the same for many subjects: their JSON is read once.
_CUT = """concat('"', facet, '":', if(facts = '', 'null', concat('{', arrayStringConcat(arrayMap(
    fact -> concat('"', fact.1, '":', fact.2),
    arrayFilter(fact -> fact.1 IN {names:Array(String)}, JSONExtractKeysAndValuesRaw(facts))
), ','), '}')))"""
_HAVING_KEY = f"""SELECT subject FROM seat_facets FINAL
WHERE tenant = {{tenant:String}} AND facet IN {{tried:Array(String)}} AND {_KEY} IN {{keys:Array(UInt64)}}"""
_DECIDING = f" AND facet IN {{facets:Array(String)}} AND subject IN ({_HAVING_KEY})"
_ALIKE = f"""SELECT known, groupArray(subject) FROM (
    SELECT subject, concat('{{', arrayStringConcat(arraySort(groupArray(cut)), ','), '}}') AS known FROM (
        {known_sql(f"subject, {_CUT} AS cut", only=_DECIDING)}
    ) GROUP BY subject
) GROUP BY known ORDER BY known"""
_TRIED = {"tried": list(TRIED_FACT), "tried_facts": list(TRIED_FACT.values())}


def tried_values(clients: Clients, tenant: str) -> list[TriedValue]:
    """Return the gateways and dial-plan tags of the tenant's subjects, most subjects first."""
    rows = ask(clients, _VALUES, {"tenant": tenant} | _TRIED)
    return [TriedValue(facet, msgspec.json.decode(raw), int(n), int(key)) for facet, raw, n, key in rows]


def alike_subjects(clients: Clients, tenant: str, keys: Sequence[int]) -> list[AlikeSubjects]:
    """Return the subjects whose gateway or tag has one of these keys, and maybe others."""
    names = sorted(set(chain.from_iterable(DECIDING_FACTS.values())))
    asked = {"tenant": tenant, "keys": list(keys), "facets": list(DECIDING_FACTS), "names": names} | _TRIED
    return [AlikeSubjects(msgspec.json.decode(known), subjects) for known, subjects in ask(clients, _ALIKE, asked)]
