"""The facts of the bench's events: what sources tell of people and numbers, as JSON text."""

from random import Random

PERSON_FACETS = (
    ("directory", "subscription", "voice", "phone_number", "lifecycle", "interface"),
    (26, 20, 24, 20, 6, 4),
)
LINE_FACETS = (("dial_plan", "service_number"), (70, 30))
"""Facets and how often each is told of."""

_FIRST = ("Ana", "Ben", "Chloe", "David", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Liam")
_LAST = ("Adler", "Baum", "Costa", "Diaz", "Evans", "Fischer", "García", "Haas", "Ito", "Jensen", "Kaur", "Müller")
_SKUS = ('["SPE_E5"]', '["SPE_E3"]', '["SPE_E3","MCOEV"]', "[]")
_TYPES = ("directRouting", "directRouting", "operatorConnect", "callingPlan")
_TAGS = ("fax", "lift", "reception", "emergency", "bridge")
_KINDS = ("auto_attendant", "conference", "fax", "other")


class Site:
    """What the facts of a tenant's subjects have in common."""

    def __init__(self, tenant: str, rng: Random) -> None:
        self.tenant = tenant
        self.gateways = [f"sbc{number}.{tenant}.example" for number in range(1, rng.randrange(2, 5))]
        self.routes = [*self.gateways, "sbc.elsewhere.example"]


def facts_of(facet: str, site: Site, subject: str, rng: Random) -> str:
    """Return new facts of a facet of a subject."""
    number = rng.randrange(10**7)
    if facet == "directory":
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        upn = f"{first}.{number}@{site.tenant}.example".lower()
        deleted = "true" if rng.random() < 0.02 else "false"
        return (
            f'{{"display_name":"{first} {last}","user_principal_name":"{upn}","sip_address":"sip:{upn}",'
            f'"account_enabled":true,"deleted":{deleted},"user_type":"Member"}}'
        )
    if facet == "subscription":
        return f'{{"skus":{rng.choice(_SKUS)},"teams_phone":{"true" if rng.random() < 0.6 else "false"}}}'
    if facet == "voice":
        enabled = "false" if rng.random() < 0.1 else "true"
        return (
            f'{{"enterprise_voice":{enabled},"gateway":"{rng.choice(site.routes)}",'
            f'"routing_policy":"policy-{number % 20}"}}'
        )
    if facet == "phone_number":
        return f'{{"number":"+1555{number:07d}","number_type":"{rng.choice(_TYPES)}"}}'
    if facet == "lifecycle":
        return f'{{"groups":["template-{number % 5}"]}}' if rng.random() < 0.8 else '{"groups":[]}'
    if facet == "interface":
        return f'{{"changed_by":"operator@msp.example","change":"calling policy {number}"}}'
    line = subject.removeprefix("number:")
    if facet == "dial_plan":
        tag = rng.choice(_TAGS) if rng.random() < 0.4 else rng.choice(site.gateways)
        return f'{{"number":"{line}","tag":"{tag}","name":"plan-{number % 10}"}}'
    return f'{{"number":"{line}","kind":"{rng.choice(_KINDS)}","held_by_user":false}}'
