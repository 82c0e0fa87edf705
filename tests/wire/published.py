"""The venue's published interface as schemas that answers and frames are held against.

OpenAPI 3.1 schemas are JSON Schema 2020-12 but for a few words of OpenAPI's own. `adapt` translates those and closes
every object that lists its fields: one that is sent and not listed is a complaint, as is one that is missing.
"""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.timing import parse_rfc3339_ns

Schema = dict[str, Any]

# Words of JSON Schema 2020-12 that the interfaces use, and words that only explain. Any other fails the test.
_JUDGING = {"$ref", "additionalProperties", "allOf", "anyOf", "const", "enum", "format", "items", "maxItems", "maximum"}
_JUDGING |= {"minItems", "minimum", "oneOf", "pattern", "properties", "required", "type"}
_EXPLAINING = {"default", "deprecated", "description", "example", "title"}

UNDECLARED = {
    404: "the venue answers an unknown name with 404 also where the interface forgets it",
    410: "the first generation of order endpoints is gone, and answers so",
    429: "every operation has a price in tokens; the interface declares the refusal for few",
    501: "the box says what it does not serve",
}
"""Statuses that may be answered without being declared."""

UNPUBLISHED = {"Market": {"liquidity_dollars": {"const": "0.0000"}}}
"""Fields by object that the box sends although the interface no longer lists them: a client needs them."""

WORD = {"type": "string"}
DETAIL = {
    "type": "object",
    "properties": {"code": WORD, "message": WORD, "details": WORD},
    "required": ["code", "message"],
}
REFUSAL = {
    "anyOf": [
        {"type": "object", "properties": {"error": DETAIL}, "required": ["error"]},
        DETAIL,
        {"type": "object", "properties": {"msg": WORD}, "required": ["msg"]},
        {"type": "object", "properties": {"error": {"const": "too many requests"}}, "required": ["error"]},
    ]
}
"""The four bodies a refusal has on the wire. The interface knows the second only; what is seen wins."""

_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ArithmeticRefusal)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or parse_rfc3339_ns(value) is not None


def adapt(schema: Any, *, is_closed: bool = True) -> Any:
    """Give an OpenAPI schema as one of JSON Schema: `nullable` becomes a type, objects with fields are closed.

    The parts of an `allOf` stay open and the whole is closed by `unevaluatedProperties`. Raises `ValueError` for a
    word whose meaning is not known here.
    """
    if not isinstance(schema, dict):
        return schema
    unknown = set(schema) - _JUDGING - _EXPLAINING - {"nullable"}
    if unknown:
        raise ValueError(f"the schema uses {sorted(unknown)}: teach the adaption what that means")
    made: Schema = {}
    for word, value in schema.items():
        if word == "properties":
            made[word] = {name: adapt(each) for name, each in value.items()}
        elif word == "allOf":
            made[word] = [adapt(each, is_closed=False) for each in value]
        elif word in ("anyOf", "oneOf"):
            made[word] = [adapt(each) for each in value]
        elif word in ("items", "additionalProperties"):
            made[word] = adapt(value)
        elif word in _JUDGING:
            made[word] = value
    if is_closed and "allOf" in made:
        made["unevaluatedProperties"] = False
    elif is_closed and "properties" in made and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made


def complaints(schema: Schema, root: Schema, value: object) -> list[str]:
    """Give where `value` does not fit an adapted `schema`, whose references point into `root`."""
    validator = Draft202012Validator({**root, **schema}, format_checker=_FORMATS)
    return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def rest_document(specs: Path) -> Schema:
    """The venue's OpenAPI document in a folder of specifications, with the fields it no longer lists."""
    document: Schema = json.loads((specs / "kalshi-rest-3.34.0.json").read_text("utf-8"))
    for name, fields in UNPUBLISHED.items():
        schema = document["components"]["schemas"][name]
        schema["properties"].update(fields)
        schema["required"].extend(fields)
    return document


class Interface:
    """The operations of an OpenAPI document, and its adapted schemas."""

    def __init__(self, document: Schema) -> None:
        self._schemas = {name: adapt(each) for name, each in document["components"]["schemas"].items()}
        self.operations: dict[tuple[str, str], Schema] = {
            (method.upper(), path): operation
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    def is_signed(self, method: str, path: str) -> bool:
        return bool(self.operations[method, path]["x-auth"])

    def statuses(self, method: str, path: str) -> set[int]:
        return {int(status) for status in self.operations[method, path]["responses"]}

    def parameters(self, method: str, path: str) -> set[str]:
        """The names an operation takes in its query."""
        given = self.operations[method, path].get("parameters", ())
        return {each["name"] for each in given if each["in"] == "query"}

    def complaints_of_answer(self, method: str, path: str, status: int, body: object) -> list[str]:
        """Give where an answer does not fit; an answer that the document leaves open must have no body."""
        schema = _content(self.operations[method, path]["responses"][str(status)])
        if schema is None:
            return [] if body in (None, {}) else [f"{status} has the body {body!r}, and none is published"]
        return self._complaints(schema, body)

    def complaints_of_request(self, method: str, path: str, body: object) -> list[str]:
        """Give where the body of a request does not fit."""
        published = self.operations[method, path].get("requestBody", {})
        schema = _content(published)
        if body is None and not published.get("required", False):
            return []
        if schema is None:
            return [f"{body!r} is sent, and no body is published"]
        return self._complaints(schema, body)

    def _complaints(self, schema: Schema, body: object) -> list[str]:
        return complaints(adapt(schema), {"components": {"schemas": self._schemas}}, body)


def _content(place: Schema) -> Schema | None:
    for shape in place.get("content", {}).values():
        schema: Schema = shape.get("schema", {})
        return schema
    return None
