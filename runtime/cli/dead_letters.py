"""Owns the commands `dead-letters list|replay`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from portal.kafka.publishing import Publisher
from portal.services import utc_now
from runtime import kafka
from runtime.cli.broker import started
from runtime.cli.output import AsJson, print_json, print_line, print_table
from runtime.dead_letters import Letter, Replayed, read_all, replay
from runtime.installation import Installation, find
from schemas.times import to_ms

dead_letters = typer.Typer(no_args_is_help=True, help="Events that were refused, with their reasons.")

T = TypeVar("T")

Reason = Annotated[str | None, typer.Option(help="Of this reason alone: not_json, invalid, tenant_removed, …")]


@dead_letters.command("list")
def list_letters(reason: Reason = None, as_json: AsJson = False) -> None:
    """List the dead letters that are kept.

    Example: poolwatch dead-letters list --reason invalid
    """
    letters = asyncio.run(_with_letters(reason, _all))
    if as_json:
        print_json([{"place": item.place, **item.letter.model_dump(mode="json")} for item in letters])
        return
    rows = [
        (item.place, item.letter.failed_at.isoformat(), item.letter.reason, _origin(item), item.letter.detail)
        for item in letters
    ]
    print_table(("place", "failed_at", "reason", "origin", "detail"), rows)


@dead_letters.command("replay")
def replay_letters(
    places: Annotated[list[str] | None, typer.Argument(metavar="PLACE…", help="Of `list`; none: all.")] = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Send refused events again, for instance after their tenant was set again; exit code 1 if one is still refused.

    Example: poolwatch dead-letters replay --reason tenant_removed
    """
    wanted = set(places or [])

    async def run(letters: list[Letter], installation: Installation) -> Replayed:
        chosen = [item for item in letters if not wanted or item.place in wanted]
        async with started(kafka.producer(installation.kafka), installation) as producer:
            publisher = Publisher(producer, installation.kafka.topic_prefix)
            return await replay(chosen, publisher, installation.kafka.partitions, to_ms(utc_now()))

    result = asyncio.run(_with_letters(reason, run))
    if as_json:
        print_json({"published": result.published, "refused": result.refused})
    else:
        print_line(f"{result.published:,} replayed, {len(result.refused):,} not")
        for place, why in result.refused.items():
            print_line(f"{place}: {why}")
    if result.refused:
        raise typer.Exit(1)


async def _with_letters(reason: str | None, use: Callable[[list[Letter], Installation], Awaitable[T]]) -> T:
    installation = find()
    own: Any = installation.kafka
    async with started(kafka.reader(own), installation) as consumer:
        found = [letter async for letter in read_all(consumer, own.topic_prefix, own.partitions)]
        return await use([item for item in found if reason in (None, item.letter.reason)], installation)


async def _all(letters: list[Letter], _: Installation) -> list[Letter]:
    return letters


def _origin(item: Letter) -> str:
    return f"{item.letter.topic}/{item.letter.partition}@{item.letter.offset}#{item.letter.index}"
