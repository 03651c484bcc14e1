"""Owns how a program of ours signs in to the portal."""

from pydantic import SecretStr


def bearer(token: SecretStr | None) -> dict[str, str]:
    """Return the header that an API token is sent in; none without one."""
    return {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
