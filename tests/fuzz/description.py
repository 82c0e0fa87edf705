"""Descriptions of the exchange's REST side for generating requests: the venue's own, or one made from our routes."""

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from types import FunctionType
from typing import Any

import msgspec

from fairstrike.exchange.api.dispatch import ROUTES, Operation, Route
from fairstrike.exchange.api.unserved import UNSERVED
from tests.wire.published import Schema, rest_document

_REFERENCE = "#/components/schemas/{name}"


def published(specs: Path) -> Schema:
    """The venue's interface without the operations that the box refuses by name."""
    document = rest_document(specs)
    refused = set(UNSERVED)
    for path, methods in document["paths"].items():
        plain = re.sub(r"\{\w+\}", "*", path).removeprefix("/")
        document["paths"][path] = {
            method: operation for method, operation in methods.items() if (method.upper(), plain) not in refused
        }
    return document


def derived() -> Schema:
    """An OpenAPI document of what is served, made from the routes and the values their operations read."""
    document: Schema = {"openapi": "3.1.0", "info": {"title": "the exchange in a box", "version": "1"}, "paths": {}}
    shapes: dict[str, Any] = {}
    for route in ROUTES:
        if (route.method, route.path) in UNSERVED:
            continue
        path = "/" + route.path
        for number in range(1, path.count("*") + 1):
            path = path.replace("*", f"{{name{number}}}", 1)
        document["paths"].setdefault(path, {})[route.method.lower()] = _operation(route, path, shapes)
    return document | {"components": {"schemas": shapes}}


def _operation(route: Route, path: str, shapes: dict[str, Any]) -> Schema:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    operation: Schema = {"parameters": parameters, "responses": {"default": {"description": "any"}}}
    read = list(_read_by(route.run, set()))
    query = next((shape for _, shape in read if shape.__name__.endswith("Query")), None)
    if query is not None:
        (place,), found = msgspec.json.schema_components([query], ref_template=_REFERENCE)
        fields = found[place["$ref"].rpartition("/")[2]]["properties"]
        parameters += [{"name": name, "in": "query", "schema": each} for name, each in fields.items()]
    body = next((shape for reader, shape in read if reader == "read_body"), None)
    if body is not None:
        (place,), found = msgspec.json.schema_components([body], ref_template=_REFERENCE)
        shapes |= found
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": place}}}
    return operation


def _read_by(run: Operation, seen: set[object]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The values that an operation's code names, and those of its module's functions that it calls.

    Each comes with the name before it, which is that of the function that reads it.
    """
    assert isinstance(run, FunctionType), "operations are plain functions"
    before = ""
    for name in run.__code__.co_names:
        value = run.__globals__.get(name)
        if isinstance(value, type) and issubclass(value, msgspec.Struct):
            yield before, value
        elif isinstance(value, FunctionType) and value.__module__ == run.__module__ and value not in seen:
            seen.add(value)
            yield from _read_by(value, seen)
        before = name


def with_words(document: Schema, words: dict[str, list[Any]], *, is_tame: bool) -> Schema:
    """The same with good values by the name of a parameter or of a body's field, so that requests get far.

    They stand beside all others, or with `is_tame` instead of them.
    """
    made = deepcopy(document)
    for methods in made["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                _tell(parameter, "schema", parameter["name"], words, is_tame=is_tame)
    for shape in made["components"]["schemas"].values():
        for name in shape.get("properties", {}):
            _tell(shape["properties"], name, name, words, is_tame=is_tame)
    return made


def _tell(place: Schema, key: str, name: str, words: dict[str, list[Any]], *, is_tame: bool) -> None:
    if name in words:
        good = {"enum": words[name]}
        place[key] = good if is_tame else {"anyOf": [good, place[key]]}
