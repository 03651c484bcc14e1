"""Owns the removal of a tenant by the provider: what goes, and the confirmation that names the tenant."""

from nicegui import ui

from portal.answers.removal import remove_tenant
from portal.problems import Problem
from portal.web.frame.saving import told
from portal.web.frame.visit import Visit
from portal.web.pieces.text import Text, heading, tag


def removal(here: Visit, tenant: str) -> None:
    """Offer to remove a tenant."""
    heading("Remove this tenant")
    Text("p", "Its facts go, and nothing is counted any more. Its history stays until its retention ends, or goes as"
              " well. Setting the tenant again brings it back without the facts.").classes("faint")  # fmt: skip
    with ui.dialog().props(f'aria-label="Remove {tenant}"') as dialog, ui.card():
        Text("p", f"To remove the tenant, write its id: {tenant}")
        typed = ui.input("Tenant id").props("outlined")
        history = ui.checkbox("Remove its history too")

        async def removed() -> None:
            with told():
                if not here.principal.changes_provider:
                    raise Problem(403, "You may not remove tenants: ask an administrator of the provider.")
                await remove_tenant(here.context, tenant, purge=bool(history.value), by=here.principal.name)
                ui.navigate.to("/")

        with ui.element("div").classes("toolbar"):
            remove = ui.button("Remove for good", on_click=removed, color="negative")
            ui.button("Keep it", on_click=dialog.close).props("flat")
        remove.disable()
        typed.on_value_change(lambda event: remove.set_enabled(event.value == tenant))
    with tag("div"):
        ui.button("Remove …", on_click=dialog.open, color="negative").props("outline")
