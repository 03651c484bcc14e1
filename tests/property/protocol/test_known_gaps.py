"""What the machine of `test_delivery` once found and nothing mends yet; each begins to fail when it is mended."""

import pytest

from tests.property.protocol.test_delivery import Delivery

_USER = (("user:a", "voice", {"gateway": "g1"}), 0, "graph")
_NUMBER = (("number:1", "dial_plan", {"tag": "g1"}), 0, "graph")


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="a meter that froze in the write of its claim, before a tenant was removed, wakes with the newest epoch: the"
    " owner takes over what it writes of the removed tenant",
)
def test_a_meter_that_wakes_in_its_claim_brings_back_nothing_of_a_removed_tenant() -> None:
    world = Delivery()
    world.compact()
    world.take_over(
        tenant="acme", events=[_USER, _NUMBER], later=[_USER], topic="meter-state-changelog", place=0,
        choices=[1, 1, 0, 0, 0, 0], between=12, after=3, dies=True,
    )  # fmt: skip
    world.remove_tenant(tenant="acme")
    world.freeze(kind="meter", place=0, choices=[0])
    world.compact()
    world.wake(which=0, effects=4, knows=False, choices=[0])
    world.teardown()
