"""Owns the command `refresh`: a full sync of a tenant's sources, and the wait for it."""

import contextlib
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console

from runtime.cli.client import Api, connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, TenantArgument, print_json, print_line

ANSWER_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.5

Progress = dict[str, Any]


def refresh(
    name: TenantArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Until every facet is read; 1 if one is not.")] = False,
    timeout: Annotated[float, typer.Option(min=0, metavar="S", help="Seconds to --wait at most.")] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Read the sources of a tenant in full now.

    Example: poolwatch refresh contoso
    """
    with connect() as api:
        started = api.request("POST", tenant_path(name, "/refresh")).json()
        if wait:
            _wait(api, started["id"], timeout, as_json)
        elif as_json:
            print_json(started)
        else:
            print_line(f"{name} is to be read in full; `poolwatch sources {name}` shows how far that is")


def trouble(now: Progress, waited_s: float, timeout_s: float) -> str | None:
    """Return why waiting ends in failure; None while it goes on, or when all is read."""
    tenant, facets = now["tenant"], now["facets"]
    ended = [
        f"{facet} is {told['state']}: {told['reason']}"
        for facet, told in facets.items()
        if told["state"] in ("held", "failing")
    ]
    if now["done"]:
        return "; ".join(ended) or None
    if all(told["state"] == "waiting" for told in facets.values()) and waited_s >= min(ANSWER_WITHIN_S, timeout_s):
        return (
            f"no collector has answered within {waited_s:.0f} s: check that `poolwatch run collector graph` runs;"
            f" `poolwatch sources {tenant}` shows when it reads"
        )
    if waited_s >= timeout_s:
        open_ones = [facet for facet, told in facets.items() if told["state"] in ("waiting", "reading")]
        late = f"not read within {waited_s:.0f} s: {', '.join(open_ones)}; it goes on, see `poolwatch sources {tenant}`"
        return "; ".join([*ended, late])
    return None


def _wait(api: Api, refresh_id: str, timeout_s: float, as_json: bool) -> None:
    began, shown = time.monotonic(), dict[str, str]()
    with _status(as_json) as status:
        while True:
            now = api.get(f"/api/v1/refreshes/{refresh_id}")
            if not as_json:
                _print_changes(now["facets"], shown)
            status(", ".join(f"{facet} {told['read']:,}" for facet, told in now["facets"].items()))
            failed = trouble(now, time.monotonic() - began, timeout_s)
            if failed or now["done"]:
                break
            time.sleep(_LOOK_EVERY_S)
    if as_json:
        print_json(now)
    if failed:
        raise Failure(failed)


def _print_changes(facets: dict[str, Any], shown: dict[str, str]) -> None:
    for facet, told in facets.items():
        line = f"{facet}: {told['state']}" + (f", {told['reason']}" if told["reason"] else "")
        if shown.get(facet) != line:
            shown[facet] = line
            print_line(line)


@contextlib.contextmanager
def _status(as_json: bool) -> Iterator[Any]:
    """Yield what shows entries read, on a terminal alone."""
    console = Console(stderr=True)
    if as_json or not console.is_terminal:
        yield lambda _: None
    else:
        with console.status("waiting for a collector") as status:
            yield lambda read: status.update(f"entries read: {read}" if read else "waiting for a collector")
