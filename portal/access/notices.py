"""Owns the few pages about signing in that are not the portal's own: text, a link, a button, and no script."""

from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Poolwatch</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }}
a, button {{ font: inherit; margin-right: 1rem }}
</style></head>
<body><main><h1>{title}</h1>{paragraphs}<div>{actions}</div></main></body></html>
"""
SIGN_OUT = '<form method="post" action="/auth/logout" style="display: inline"><button>Sign out</button></form>'


def link(text: str, address: str) -> str:
    """Return a link as an action of a notice."""
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def notice(
    status: int, title: str, *paragraphs: str, actions: str, headers: dict[str, str] | None = None
) -> HTMLResponse:
    """Return a page that says something. `actions` is HTML: links made by `link`, SIGN_OUT."""
    said = "".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return HTMLResponse(_PAGE.format(title=escape(title), paragraphs=said, actions=actions), status, headers)
