"""Owns where one may land after signing in: at a page of the portal, and nowhere else. Pure."""

import re
from urllib.parse import unquote

HOME = "/"
_LONGEST = 2_000
# No backslash, blank, control or non-ASCII character: browsers read some of them as a slash, and drop others.
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def own_path(asked: str | None) -> str:
    """Return the path if it is one of the portal's pages, else that of the first page."""
    if asked is None or len(asked) > _LONGEST or not _PATH.fullmatch(asked):
        return HOME
    # A proxy may decode a path before it forwards it.
    decoded = unquote(unquote(asked.partition("?")[0]))
    return asked if _PATH.fullmatch(decoded) and not decoded.startswith(("/auth/", "/api/")) else HOME
