"""How fast somebody may ask: whose requests count together, and what is limited more strictly."""

from starlette.requests import HTTPConnection

from portal.access.principals import Principal
from portal.entrance.rates import Rates

ANA = Principal("ana@msp.example", "provider_admin", key="user:ana")


def asks(
    path: str = "/api/v1/tenants",
    principal: Principal | None = None,
    address: str = "192.0.2.1",
    authorization: str = "",
) -> HTTPConnection:
    headers = [(b"authorization", authorization.encode())] if authorization else []
    scope = {
        "type": "http",
        "path": path,
        "headers": headers,
        "client": (address, 1),
        "state": {"principal": principal},
    }
    return HTTPConnection(scope)


def served(rates: Rates, one: HTTPConnection, most: int = 100) -> int:
    """Return how many of so many requests at once are answered."""
    return [rates.wait_s(one) for _ in range(most)].count(None)


def test_a_principal_counts_as_one_wherever_it_asks_from() -> None:
    rates = Rates(2)
    assert 20 == served(rates, asks(principal=ANA))
    assert 0 == served(rates, asks("/tenants/contoso", ANA, "192.0.2.2"))
    assert 20 == served(rates, asks(principal=Principal("tia", "tenant_admin", frozenset({"contoso"}), key="user:tia")))


def test_who_takes_the_name_of_another_takes_nothing_of_its_rate() -> None:
    rates = Rates(2)
    one, other = (Principal("token:ci", "tenant_viewer", frozenset({name}), key=f"token:{name}") for name in "ab")
    assert [20, 20] == [served(rates, asks(principal=principal)) for principal in (one, other)]


def test_a_stranger_counts_by_address() -> None:
    rates = Rates(2)
    assert [20, 0, 20] == [served(rates, asks(address=at)) for at in ("192.0.2.1", "192.0.2.1", "192.0.2.2")]
    assert 20 == served(rates, asks(principal=ANA)), "who has signed in does not suffer for a neighbour"


def test_sign_ins_and_failed_tokens_have_stricter_limits_of_their_own() -> None:
    rates = Rates(50, sign_ins_per_minute=7, failed_tokens_per_minute=5)
    assert 7 == served(rates, asks("/auth/login"))
    assert 5 == served(rates, asks(authorization="Bearer pw_wrong"))
    assert 100 == served(rates, asks(authorization="Basic bm9uZTpub25l"))
    assert 100 == served(rates, asks(principal=ANA, authorization="Bearer pw_right"))


def test_a_refusal_says_when_to_ask_again() -> None:
    rates = Rates(1)
    assert 10 == served(rates, asks(), 10)
    wait_s = rates.wait_s(asks())
    assert wait_s is not None
    assert 1 <= wait_s <= 10


def test_who_comes_over_a_unix_socket_has_no_address_and_is_limited_too() -> None:
    rates, one = Rates(1), asks()
    one.scope["client"] = None
    assert 10 == served(rates, one)
