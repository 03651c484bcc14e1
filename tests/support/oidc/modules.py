"""The npm package of the provider, kept in a cache folder of the user; starting it is provider's affair."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.support.cache import cache_folder, fill_once

HERE = Path(__file__).parent
VERSION: str = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]["oidc-provider"]
_OLDEST_NODE = 20
# Without a lock file npm takes what the package asks for; nothing of what it brings is run at its installation.
_INSTALL = ("npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class OidcModulesError(RuntimeError):
    """npm exists and could not bring the provider; the text says what it printed and what to do."""


def why_not_oidc() -> str | None:
    """Return why the provider cannot run on this machine; None = it can."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        return f"there is no {' and no '.join(missing)} here"
    shown = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, timeout=30, check=False
    ).stdout.strip()
    major = shown.removeprefix("v").partition(".")[0]
    return None if major.isdigit() and int(major) >= _OLDEST_NODE else f"Node is {shown}, older than {_OLDEST_NODE}"


def modules_folder() -> Path:
    """Return the folder of the modules, whether it is there or not."""
    return _folder() / "node_modules"


def ensure_modules() -> Path:
    """Return the folder of the modules, filled by npm when it is not there yet (3 MB, seconds)."""
    return fill_once(_folder(), _fetched) / "node_modules"


def _folder() -> Path:
    return cache_folder(f"oidc-provider-{VERSION}")


def _fetched(work: Path) -> Path:
    filled = work / "filled"
    filled.mkdir()
    shutil.copy(HERE / "package.json", filled)
    result = subprocess.run(_INSTALL, cwd=filled, capture_output=True, text=True, timeout=300, check=False)
    if result.returncode != 0 or not (filled / "node_modules" / "oidc-provider").is_dir():
        raise OidcModulesError(
            f"npm could not fetch oidc-provider {VERSION}, which the tests of signing in need. Check that npm"
            f" reaches its registry. It printed:\n{(result.stdout + result.stderr).strip()[-3000:]}"
        )
    return filled
