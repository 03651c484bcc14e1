"""Owns what is done about an alert from its row: it was seen, it is muted for a time, or not any more."""

from collections.abc import Callable

from nicegui import ui

from portal.answers.alerts import acknowledge
from portal.answers.silences import add_silence, end_silences
from portal.problems import Problem
from portal.web.frame.saving import told
from portal.web.frame.visit import Visit
from portal.web.pieces.alert_words import RULES
from portal.web.pieces.silence_form import SilenceForm
from portal.web.pieces.text import Text, heading
from schemas.alert import Alert
from schemas.settings import Silence


class AlertActions:
    """The same for all rows, with one dialog: rows come and go while it is open. `done` is called once something was
    done."""

    def __init__(self, here: Visit, done: Callable[[], None]) -> None:
        self._here, self._done = here, done
        self._asked: Alert | None = None
        # The row of a button is made anew when its alert changes, and what stood in it can say nothing any more.
        self._page = ui.context.client
        with ui.dialog().props('aria-label="Mute"') as self._dialog, ui.card():
            self._title = heading("Mute")
            Text("p", "Alerts are raised and kept meanwhile. What still holds when this ends is told then.")
            self._form = SilenceForm("Mute", here.context.now, self._mute)
            ui.button("Cancel", on_click=self._dialog.close).props("flat")

    async def acknowledge(self, alert: Alert) -> None:
        """Note that the visitor has seen an alert."""
        with self._page, told():
            self._require_may_change(alert)
            await acknowledge(self._here.context, alert.tenant, alert.rule, self._here.principal.name)
            ui.notify("Noted: nobody is reminded of it until it gets worse.", type="positive")
            self._done()

    def ask_mute(self, alert: Alert, name: str) -> None:
        """Ask for how long an alert is to be muted."""
        self._asked = alert
        self._title.set_text(f"Mute {RULES[alert.rule]} of {name}")
        self._form.show(alert.rule)
        self._dialog.open()

    async def _mute(self, silence: Silence) -> None:
        with self._page, told():
            assert self._asked is not None
            self._require_may_change(self._asked)
            tenant, principal = self._asked.tenant, self._here.principal
            body = silence.model_dump(mode="json")
            await add_silence(self._here.context, principal, tenant, body, principal.name)
            self._dialog.close()
            ui.notify("Muted. The settings of the tenant list its silences.", type="positive")
            self._done()

    async def unmute(self, alert: Alert) -> None:
        """End the tenant's own silences that hold for an alert."""
        with self._page, told():
            self._require_may_change(alert)
            context, principal = self._here.context, self._here.principal

            def ends(silence: Silence) -> bool:
                return silence.rule in (None, alert.rule)

            await end_silences(context, principal, alert.tenant, ends, principal.name)
            ui.notify("Not muted any more.", type="positive")
            self._done()

    def _require_may_change(self, alert: Alert) -> None:
        if not self._here.may_change(alert.tenant):
            raise Problem(403, "You may look at this tenant and not change it: ask an administrator.")
