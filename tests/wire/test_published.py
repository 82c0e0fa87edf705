"""The adaption of schemas can complain."""

from typing import Any

import pytest

from tests.wire.published import adapt, complaints

POINT = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
ROOT = {"components": {"schemas": {"Point": adapt(POINT)}}}


@pytest.mark.parametrize(
    ("schema", "value", "count"),
    [
        (POINT, {"x": 1}, 0),
        (POINT, {}, 1),
        (POINT, {"x": "1"}, 1),
        (POINT, {"x": 1, "y": 2}, 1),
        ({**POINT, "additionalProperties": True}, {"x": 1, "y": 2}, 0),
        ({**POINT, "nullable": True}, None, 0),
        (POINT, None, 1),
        ({"$ref": "#/components/schemas/Point"}, {"x": 1, "y": 2}, 1),
        ({"anyOf": [{"$ref": "#/components/schemas/Point"}, {"type": "null"}]}, {"y": 2}, 1),
        ({"allOf": [POINT, {"properties": {"y": {"type": "string"}}}]}, {"x": 1, "y": "a"}, 0),
        ({"allOf": [POINT, {"properties": {"y": {"type": "string"}}}]}, {"x": 1, "z": 1}, 1),
        ({"type": "array", "items": {"enum": ["a"]}, "maxItems": 1}, ["a"], 0),
        ({"type": "array", "items": {"enum": ["a"]}, "maxItems": 1}, ["b", "a"], 2),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"a": 1}, 1),
        ({"type": "string", "format": "date-time"}, "2026-11-21T22:00:00Z", 0),
        ({"type": "string", "format": "date-time"}, "yesterday", 1),
    ],
)
def test_what_fits_and_what_does_not(schema: dict[str, Any], value: object, count: int) -> None:
    assert len(complaints(adapt(schema), ROOT, value)) == count


def test_an_unknown_word_is_an_error() -> None:
    with pytest.raises(ValueError, match="discriminator"):
        adapt({"discriminator": {}})
