"""Owns which refusals the API's document names, and where: each is a problem document (`portal.problems`)."""

from typing import Any

from portal.problems import MEDIA_TYPE, TITLES

_TEXTS = {
    400: "The body is not JSON.",
    401: "Nobody is signed in, and no valid API token was sent.",
    403: "The role does not allow it, or the request comes from a page of another site.",
    404: "There is nothing of this name, or it is not to be seen by who asks.",
    409: "It cannot be done as things are; the text says why.",
    412: "Somebody was first: the revision is another one by now.",
    413: "The body is too large.",
    422: "Parameters or body cannot be used; the text names each mistake.",
    429: "Too many requests.",
    503: "A part that is needed does not answer now, or not all has been read yet.",
}
_EXAMPLES = {
    400: "the body is not JSON: send one JSON document in UTF-8",
    401: "nobody is signed in: sign in, or send an API token (`Authorization: Bearer pw_…`)",
    403: "the request comes from a page of another site: send it from Poolwatch's own pages or from a program",
    404: "the tenant contoso was never heard of: it exists from its settings (`poolwatch tenant set contoso`) or its"
    " first event on; GET /api/v1/tenants lists those that do",
    409: "the sync 3f1c9e0b2a7d4e65b8c1d2e3f4a5b6c7 is completed already: only a held one waits for a confirmation",
    412: "the settings of contoso are at revision 18 by now: somebody was first; apply the change to what GET gives,"
    " and send it with its ETag",
    413: "the body has more than 524,288 bytes: settings are smaller",
    422: "limit: Input should be less than or equal to 1000",
    429: "too many requests: send fewer, or wait as Retry-After says",
    503: "counts and settings are still being read from Kafka: ask again soon, /readyz says when it is done",
}
_WAIT = {
    "Retry-After": {"description": "Seconds until it is worth asking again.", "schema": {"type": "string"}},
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}}},
    429: _WAIT,
    503: _WAIT,
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the part of OpenAPI that describes these refusals."""
    return {status: _response(status) for status in statuses}


def common_errors(operation: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Return the refusals that follow from what an operation takes that is not open to all."""
    parameters = operation.get("parameters", ())
    where = {parameter["in"] for parameter in parameters}
    names = {parameter["name"] for parameter in parameters}
    statuses = [401, 403, 429, 503]
    statuses += [404] if "path" in where or "tenant" in names else []
    statuses += [400, 413] if "requestBody" in operation else []
    statuses += [422] if where or "requestBody" in operation else []
    return errors(*sorted(statuses))


def _response(status: int) -> dict[str, Any]:
    example = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": _EXAMPLES[status],
        "instance": "/api/v1/tenants/contoso",
    }
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    headers = {"headers": _HEADERS[status]} if status in _HEADERS else {}
    return {"description": _TEXTS[status], **headers, "content": content}
