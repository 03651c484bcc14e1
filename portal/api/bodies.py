"""Owns the reading of request bodies: bounded, and JSON whatever the content type says."""

import json
from typing import Annotated, Any

from fastapi import Depends, Request

from portal.problems import Problem

MAX_SETTINGS_BYTES = 512 * 1024


async def read_body(request: Request, limit: int, advice: str) -> bytes:
    """Return the body. Raises Problem 413 as soon as it grows beyond `limit` bytes; `advice` says what to do then."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise Problem(413, f"the body has more than {limit:,} bytes: {advice}", headers={"Connection": "close"})
    return bytes(body)


async def _json_body(request: Request) -> Any:
    body = await read_body(request, MAX_SETTINGS_BYTES, "settings are smaller")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "the body is not JSON: send one JSON document in UTF-8") from error


JsonBody = Annotated[Any, Depends(_json_body)]


def documented(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI part that describes a body which an endpoint reads itself."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
