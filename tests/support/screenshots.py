"""The pictures of the README: the demo's pages as PNG, small enough for a repository. `make screenshots` runs it."""

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from tests.support.browsing import DESKTOP, PHONE, Theme, wait_until_live
from tests.support.chromium import HOW_TO_GET_IT, find_chromium, running_chromium
from tests.support.embedded_stack import running_stack

_MOST_BYTES = 200_000
_COLOURS = 128
"""Of a palette: enough for pages of text and charts, and a third of the size."""


@dataclass(frozen=True)
class Picture:
    """One picture: a page as somebody sees it."""

    name: str
    path: str
    theme: Theme = "light"
    phone: bool = False


PICTURES = (
    Picture("overview", "/"),
    Picture("license-audit", "/tenants/contoso"),
    Picture("license-audit-dark", "/tenants/contoso", theme="dark"),
    Picture("license-audit-phone", "/tenants/contoso", phone=True),
    Picture("seats", "/tenants/contoso/seats"),
    Picture("seat-explained", "/tenants/contoso/seats/number:+15550210000"),
    Picture("history", "/tenants/fabrikam/history?from=90d"),
    Picture("what-if", "/tenants/contoso/what-if"),
    Picture("changes", "/tenants/fabrikam/changes"),
    Picture("settings", "/tenants/contoso/settings"),
)


def main(folder: Path) -> int:
    """Write all pictures into a folder; return the exit status."""
    chromium = find_chromium()
    if chromium is None:
        print(f"No Chromium was found, so no pictures were taken: {HOW_TO_GET_IT}.", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory() as data,
        running_stack(Path(data) / "data", demo=True) as stack,
        running_chromium(chromium) as browser,
    ):
        for picture in PICTURES:
            path = folder / f"{picture.name}.png"
            path.write_bytes(_small(_taken(browser, stack.url, picture)))
            print(f"{path}: {path.stat().st_size // 1000} kB")
    return 0


def _taken(browser: Browser, url: str, picture: Picture) -> bytes:
    size = PHONE if picture.phone else DESKTOP
    context = browser.new_context(base_url=url, color_scheme=picture.theme, viewport=size, locale="en-US")
    try:
        page = context.new_page()
        answer = page.goto(picture.path)
        if answer is None or answer.status != 200:
            raise ValueError(
                f"{picture.path} is no page of the demo (status {answer and answer.status}): correct PICTURES"
            )
        wait_until_live(page)
        page.wait_for_load_state("networkidle")
        return page.screenshot(animations="disabled")
    finally:
        context.close()


def _small(png: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    if out.tell() > _MOST_BYTES:
        raise ValueError(f"a picture has {out.tell():,} bytes, more than {_MOST_BYTES:,}: show less of the page")
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
