"""The Chromium of the browser tests: where it is, how it is started, and how a Debian that lacks it gets it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PATH_VARIABLE = "POOLWATCH_TEST_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_IT = f"install Debian's package chromium, or name a Chromium or Chrome in {PATH_VARIABLE}"
_UPDATE_S, _INSTALL_S = 120, 480


class ChromiumError(Exception):
    """A Chromium that should be there, or could be had, is not to be had."""


def find_chromium() -> Path | None:
    """Return where Chromium is, None where there is none. Raises ChromiumError for a variable that names no program."""
    if named := os.environ.get(PATH_VARIABLE):
        if found := shutil.which(named):
            return Path(found)
        raise ChromiumError(f"{PATH_VARIABLE} names {named}, which is no program: correct or unset it")
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


def may_install() -> bool:
    """Tell whether Chromium can be installed here: by root, on a Debian."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def install_chromium() -> Path:
    """Install Debian's package and return where it is. Raises ChromiumError."""
    _apt("update", timeout_s=_UPDATE_S)
    _apt("install", "--yes", "--no-install-recommends", "chromium", timeout_s=_INSTALL_S)
    if found := find_chromium():
        return found
    raise ChromiumError(f"the package chromium was installed and brought no program of that name: {HOW_TO_GET_IT}")


def _apt(*arguments: str, timeout_s: int) -> None:
    command = ["apt-get", "-qq", *arguments]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(command, env=quiet, check=True, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise ChromiumError(f"`{' '.join(command)}` took longer than {timeout_s} s: {HOW_TO_GET_IT}") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ChromiumError(f"`{' '.join(command)}` failed ({last}): {HOW_TO_GET_IT}") from error


@contextmanager
def running_chromium(path: Path) -> Iterator[Browser]:
    """Run a Chromium without a window until left. As long as it runs, no event loop can be started in this thread."""
    # Root gets no sandbox from Chromium; what it opens here are pages of ours.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*sandbox, "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()
