"""Owns `$batch`: its parts are requests of their own, each with its own fault, answered in another order."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.graph.answers import Answer, bad_request, failure
from tests.support.graph.calls import Call

_MOST = 20


async def batch(call: Call) -> Answer:
    """Answer every part; a part that depends on a failed one is not tried."""
    requests = call.body.get("requests") if isinstance(call.body, dict) else None
    if not isinstance(requests, list) or not 1 <= len(requests) <= _MOST:
        raise bad_request(f"A batch has 1 to {_MOST} requests.")
    if len({str(part.get("id")).lower() for part in requests}) < len(requests):
        raise bad_request("Ids of a batch must be unique.")
    answers: dict[str, Answer] = {}
    for part in requests:
        failed = any(answers[other].status >= 400 for other in part.get("dependsOn", ()))
        answers[part["id"]] = _not_tried() if failed else await _answer(call, part)
    return Answer(body={"responses": [_shown(name, answer) for name, answer in reversed(answers.items())]})


async def _answer(call: Call, part: dict[str, Any]) -> Answer:
    url = urlsplit(part["url"])
    headers = {name.lower(): value for name, value in part.get("headers", {}).items()}
    if "body" in part and "content-type" not in headers:
        return failure(400, "BadRequest", "A part with a body needs a Content-Type.")
    headers["authorization"] = call.headers["authorization"]
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    answer, _ = await call.graph.answer(
        part["method"], f"/v1.0{url.path}", query, headers, part.get("body"), in_batch=True
    )
    return answer


def _not_tried() -> Answer:
    return failure(424, "FailedDependency", "A request that this one depends on failed.")


def _shown(name: str, answer: Answer) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", **answer.headers}
    return {"id": name, "status": answer.status, "headers": headers} | (
        {} if answer.body is None else {"body": answer.body}
    )
