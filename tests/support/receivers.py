"""A real SMTP server and a real HTTP receiver on loopback: what came in is kept."""

import email
import email.policy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler
from typing import Any

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from standardwebhooks import Webhook

from tests.support.http_server import serving
from tests.support.ports import HOST, free_port


@dataclass
class MailBox:
    """The mails that came in. `refuses` says what is answered instead of taking one."""

    port: int = field(default_factory=free_port)
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: Callable[[], str | None] = lambda: None

    @property
    def url(self) -> str:
        """The Apprise URL that leads here."""
        return f"mailto://{HOST}:{self.port}/?from=poolwatch@msp.example&to=ana@msp.example&mode=insecure"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        refusal = self.refuses()
        if refusal is not None:
            return refusal
        mail = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


@contextmanager
def mail_box() -> Iterator[MailBox]:
    """Run an SMTP server."""
    box = MailBox()
    controller = Controller(box, hostname=HOST, port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass(frozen=True)
class Call:
    """One request that a webhook got, and the status that was answered."""

    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        """Its id, by which repeats are known."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """Return the body as JSON. Raises where the signature is not that of the secret: judged by the library of
        Standard Webhooks, as a receiver would."""
        Webhook(secret).verify(self.body, dict(self.headers))
        return self.json()

    def json(self) -> Any:
        """Return the body."""
        return msgspec.json.decode(self.body)


@dataclass
class Hook:
    """The requests that came in. `answers` says with which status and headers the next one is answered."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answers: Callable[[], tuple[int, dict[str, str]]] = lambda: (204, {})

    def taken(self) -> list[Call]:
        """Return the requests that were answered with a success."""
        return [call for call in self.calls if 200 <= call.status < 300]


@contextmanager
def hook() -> Iterator[Hook]:
    """Run an HTTP server."""
    receiver = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, headers = receiver.answers()
            receiver.calls.append(Call({name.lower(): value for name, value in self.headers.items()}, body, status))
            self.send_response(status)
            for name, value in {"content-length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    with serving(Handler) as port:
        receiver.url = f"http://{HOST}:{port}/hook"
        yield receiver
