"""Owns how a webhook is signed: as Standard Webhooks (standardwebhooks.com) has it, so that its libraries verify it."""

import base64
import binascii
import hashlib
import hmac

_PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Return the key of a secret: `whsec_` and base64, or any other text as it is."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error as error:
            raise ValueError("a secret that begins with whsec_ goes on in base64") from error
    return secret.encode()


def signature(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the header `webhook-signature` of a body that is sent at an instant (s since 1970)."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
