"""What the partitions of an alert process share."""

from collections.abc import Iterable

from schemas.identifiers import partition_of
from streams.alert_desk import Desk, Report
from streams.notify.messages import Message, Outcome
from tests.support.messages import message


class Telling:
    """Keeps what is submitted."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.submitted: list[str] = []

    def submit(self, messages: Iterable[Message]) -> None:
        self.submitted += [message.alert.id for message in messages]

    async def close(self) -> None:
        """There is nothing to close."""


async def test_what_was_told_and_is_not_noted_yet_is_not_told_again() -> None:
    made: list[Telling] = []

    def new(report: Report) -> Telling:
        made.append(Telling(report))
        return made[0]

    desk = Desk(4, new)
    desk.submit([message("ops", 1), message("ops", 2)])
    made[0].report(Outcome("id1", "acme", "pool", "ops", "delivered", 1))
    made[0].report(Outcome("id2", "acme", "pool", "ops", "failed", 1))
    desk.submit([message("ops", 1), message("ops", 2), message("other", 1)])
    assert ["id1", "id2", "id2", "id1"] == made[0].submitted
    assert ["id1", "id2"] == [outcome.alert_id for outcome in desk.take(partition_of(b"acme", 4))]
    desk.submit([message("ops", 1)])
    assert "id1" == made[0].submitted[-1]
