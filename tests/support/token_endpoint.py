"""A token endpoint by client credentials (RFC 6749 §4.4), and the keys that its tokens are checked with."""

import base64
import json
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "poolwatch-meter"
CLIENT_SECRET = "s3cret-of-the-client"
AUDIENCE = "kafka"
ISSUER = "https://issuer.example"


class Tokens:
    """Issues tokens whose audience is the scope that was asked for; `issued` counts them."""

    def __init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.issued = 0

    def token(self, audience: str = AUDIENCE, lives_s: int = 600) -> str:
        """Return a signed token."""
        self.issued += 1
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": CLIENT_ID, "aud": audience, "iat": now, "exp": now + lives_s, "scope": audience}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """Return what answers POST /token and GET /keys."""
        tokens, keys = self, {"keys": [self._key.as_dict(private=False)]}
        right = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Give the keys."""
                self._answer(200, keys)

            def do_POST(self) -> None:
                """Give a token to the one client that there is."""
                asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                if self.headers["Authorization"] != right or asked["grant_type"] != ["client_credentials"]:
                    self._answer(401, {"error": "invalid_client", "error_description": f"not {CLIENT_ID}'s secret"})
                    return
                token = tokens.token(asked.get("scope", [AUDIENCE])[0])
                self._answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 600})

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
                """Say nothing."""

        return Handler
