"""Owns secrets that may stand in a setting or in a file which a setting names."""

from pathlib import Path

from pydantic import SecretStr

from runtime.settings import SettingsError, variable


def secret_of(group: str, name: str, value: SecretStr | None, file: Path | None) -> str | None:
    """Return a secret, read anew where it is in a file; None where it is in neither. `name_file` names the file.

    Raises SettingsError.
    """
    in_file = variable((group, f"{name}_file"))
    if file is None:
        return (value.get_secret_value() or None) if value is not None else None
    if value is not None:
        raise SettingsError(f"{variable((group, name))} and {in_file} are both set: unset one of them")
    return secret_in(file, in_file)


def secret_in(file: Path, setting: str) -> str:
    """Return the secret in a file that a setting names. Raises SettingsError."""
    try:
        secret = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is not text in UTF-8"
        raise SettingsError(f"{file} cannot be read: {reason}. Correct {setting}, or the file") from error
    if not secret:
        raise SettingsError(f"{file} is empty, and {setting} says that a secret is in it: write it there")
    return secret
