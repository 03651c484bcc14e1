"""Owns the lines that a demo prints."""

import time

from rich.console import Console


class Teller:
    """Prints lines with the seconds since the start; colours only on a terminal."""

    def __init__(self) -> None:
        self._console = Console(soft_wrap=True)
        self._begin = time.monotonic()

    def title(self, text: str) -> None:
        self._console.print(f"\n{text}", style="bold", highlight=False, markup=False)

    def say(self, text: str) -> None:
        seconds = f"{time.monotonic() - self._begin:6.1f} s  "
        self._console.print(seconds, style="dim", end="", highlight=False)
        self._console.print(text, highlight=False, markup=False)
