"""The API's document, as a test holds answers to it: closed, so that a key which it does not name is a mistake."""

from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import jsonschema

from portal.app import create_app
from portal.services import About, Services

_INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


@dataclass(frozen=True)
class ApiDocument:
    """The document; operations are named by their id."""

    document: dict[str, Any]

    @property
    def operations(self) -> dict[str, dict[str, Any]]:
        found = [operation for each in self.document["paths"].values() for operation in each.values()]
        return {operation["operationId"]: operation for operation in found}

    @property
    def places(self) -> dict[str, tuple[str, str]]:
        """Method and path of every operation."""
        return {
            operation["operationId"]: (method.upper(), path)
            for path, operations in self.document["paths"].items()
            for method, operation in operations.items()
        }

    def check_answer(self, operation_id: str, status: int, media_type: str, value: Any) -> None:
        """Hold an answer to the document. Raises AssertionError or jsonschema.ValidationError."""
        answers = self.operations[operation_id]["responses"]
        assert str(status) in answers, f"{operation_id}: {status} is not documented: {value}"
        if status == 304:
            assert value == "", f"{operation_id}: 304 comes without a body"
            return
        content = answers[str(status)]["content"]
        plain = media_type.partition(";")[0]
        assert plain in content, f"{operation_id}: {plain} is not documented for {status}"
        self._check(_closed(content[plain]["schema"]), value, closed=True)

    def check_request(self, operation_id: str, value: Any) -> None:
        """Hold a body to the document."""
        self._check(self.operations[operation_id]["requestBody"]["content"]["application/json"]["schema"], value)

    def _check(self, schema: dict[str, Any], value: Any, *, closed: bool = False) -> None:
        components = self.document["components"]
        root = schema | {"components": _closed(components) if closed else components}
        jsonschema.Draft202012Validator(root).validate(value)


@cache
def own_document() -> ApiDocument:
    """Return the document of an application that answers nothing else."""
    return ApiDocument(create_app(cast(Services, _Nothing())).openapi())


class _Nothing:
    about = About("1.2.3", embedded=True, kafka_bootstrap="", topic_prefix="", partitions=1)
    live = None


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _closed(value) for key, value in node.items()}
    if found.get("format") == "date-time":
        return found | {"pattern": _INSTANT}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found
