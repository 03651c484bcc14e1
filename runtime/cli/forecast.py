"""Owns the command `forecast`: when the pool of a tenant runs out, in words and as a table."""

from runtime.cli.client import connect, tenant_path
from runtime.cli.output import AsJson, TenantArgument, print_json, print_line, print_table

_AHEAD = (7, 14, 30, 60, 90)
"""Days that the table shows of the curve, which begins with tomorrow."""


def forecast(name: TenantArgument, as_json: AsJson = False) -> None:
    """Show when the pool of a tenant is expected to run out, how sure that is, and why.

    Example: poolwatch forecast contoso
    """
    with connect() as api:
        found = api.get(tenant_path(name, "/forecast"))
    if as_json:
        print_json(found)
        return
    for sentence in found["explanation"]:
        print_line(sentence)
    if not found["curve"]:
        return
    print_line()
    pool = found["acquired_licenses"]
    rows = [
        (found["curve"][ahead - 1]["at"][:10], ahead, *_numbers(found["curve"][ahead - 1], pool)) for ahead in _AHEAD
    ]
    numbers = ("days", "expected", "low", "high", "available")
    print_table(("day", *numbers), rows, numbers=numbers)
    based = found["based_on"]
    print_line(f"low to high: 80 %; based on {based['days']} days since {based['from'][:10]}")


def _numbers(day: dict[str, float], pool: int | None) -> tuple[int | None, ...]:
    expected = round(day["expected"])
    return expected, round(day["low"]), round(day["high"]), None if pool is None else pool - expected
