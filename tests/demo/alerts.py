"""Shows alerts at work: a simulated tenant fills its pool, goes over it and comes back, and a real SMTP server and a
real webhook tell what arrived: `python -m tests.demo.alerts`; exit code 1 if something is missing, or came twice."""

import argparse
import base64
import json
import secrets
import signal
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from collectors.simulator.changes import news
from collectors.simulator.site import Site, make_site
from runtime.embedded.child import Child, ChildFailedError
from tests.demo.running import DemoError, running, wait
from tests.demo.teller import Teller
from tests.support.receivers import Hook, MailBox, hook, mail_box

POOL = 20
LIMITS = {"warning_percent": 80, "critical_percent": 95, "grace_percent": 10, "dwell_s": 1, "remind_after_s": 0}
WAY: tuple[tuple[int, str], ...] = (
    (12, ""),
    (17, "Warning"),
    (21, "Over the pool"),
    (24, "Beyond the grace"),
    (17, "Down to warning"),
    (8, "Resolved"),
)
"""How many have a number, and what is to be told of it."""
_ARRIVES_S = 30.0


class Tenant:
    """A tenant of the simulator, whose people get numbers and lose them again."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._site: Site = make_site(seed=7, place=0, start=datetime.now(UTC))
        self.name = self._site.tenant
        body = {"display_name": self.name.title(), "acquired_licenses": POOL, "alerts": LIMITS}
        http.patch(f"/api/v1/tenants/{self.name}/settings", json=body).raise_for_status()
        self._site.people = [self._site.new_person(datetime.now(UTC)) for _ in range(30)]
        for person in self._site.people:
            person.number = person.number_type = person.gateway = person.groups = person.by_hand_at = None

    def go_to(self, number: int) -> None:
        """Let so many people have a number, as an operator's collector would tell it."""
        events = []
        for place, person in enumerate(self._site.people):
            before = person.facts()
            if place < number:
                self._site.give_number(person, "operatorConnect")
            else:
                person.number = person.number_type = None
            events += news(self.name, person, before, datetime.now(UTC))
        self._http.post("/api/v1/events", json=events).raise_for_status()


def main() -> int:
    """Run the way up and down; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo.alerts", description=__doc__)
    parser.add_argument("--port", type=int, help="port of the portal (a free one)")
    arguments = parser.parse_args()
    # Also Ctrl-C: a shell lets what it starts in the background ignore it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    teller, secret = Teller(), "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    try:
        with ExitStack() as stack:
            box, receiver = stack.enter_context(mail_box()), stack.enter_context(hook())
            teller.say(f"an SMTP server listens at port {box.port}, a webhook at {receiver.url}")
            logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="poolwatch-demo-")))
            channels = {"mail": {"url": box.url}, "hook": {"webhook": receiver.url, "secret": secret}}
            settings = {"POOLWATCH_ALERTS_CHANNELS": json.dumps(channels)}
            up, http = stack.enter_context(running(logs / "data", arguments.port, logs, teller.say, settings))
            _show(up, http, box, receiver, secret, teller)
    except KeyboardInterrupt:
        return 0
    except (DemoError, ChildFailedError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _show(up: Child, http: httpx.Client, box: MailBox, receiver: Hook, secret: str, teller: Teller) -> None:
    tenant = Tenant(http)
    limits = f"warning at {LIMITS['warning_percent']} %, critical at {LIMITS['critical_percent']} %"
    teller.title(f"{tenant.name.title()} has a pool of {POOL}: {limits}, {LIMITS['grace_percent']} % grace")
    wanted: list[str] = []
    for number, words in WAY:
        tenant.go_to(number)
        teller.say(f"{number} of {POOL} licences are in use")
        wanted += [words] if words else []

        def arrived(number: int = len(wanted)) -> bool:
            return number <= len(box.mails) and number <= len(receiver.calls)

        took = wait(f"{words!r} arrives by mail and webhook", arrived, _ARRIVES_S, [up])
        if words:
            teller.say(f"mail     {box.mails[-1]['subject']}   ({took:.1f} s)")
            alert = receiver.calls[-1].verified(secret)
            teller.say(f"webhook  {alert['change']} {alert['level'] or ''}: {alert['detail']}  signature verified")
    titles = [str(mail["subject"]).partition(":")[0] for mail in box.mails]
    ids = [call.id for call in receiver.calls]
    if titles != wanted or len(set(ids)) != len(ids) or len(ids) != len(wanted):
        raise DemoError(f"expected was each of {wanted} once; mails: {titles}, webhooks: {len(ids)}")
    teller.title(f"Each of {len(wanted)} changes arrived once by mail and once at the webhook")


if __name__ == "__main__":
    sys.exit(main())
