"""Pages and the shapes of refusals."""

from base64 import urlsafe_b64encode

import pytest

from fairstrike.exchange.api.call import TOO_MANY_REQUESTS, bad_body, bad_query, error, page


def walk(items: list[str], limit: int) -> list[tuple[str, ...]]:
    pages: list[tuple[str, ...]] = []
    cursor = ""
    while True:
        found, cursor = page(items, cursor, limit, str)
        pages.append(found)
        if not cursor:
            return pages


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, [()]), (1, [("0",)]), (2, [("0", "1")]), (3, [("0", "1"), ("2",)]), (4, [("0", "1"), ("2", "3")])],
)
def test_pages_hold_every_item_once(count: int, expected: list[tuple[str, ...]]) -> None:
    assert expected == walk([str(n) for n in range(count)], 2)


def test_items_added_in_front_do_not_shift_the_pages() -> None:
    _, cursor = page(["c", "b", "a"], "", 2, str)
    assert page(["e", "d", "c", "b", "a"], cursor, 2, str) == (("a",), "")


@pytest.mark.parametrize("cursor", ["garbage!", "////", "bm90aGluZw==", "\u00e9"])
def test_garbage_cursors_count_as_none(cursor: str) -> None:
    assert page(["a", "b"], cursor, 1, str)[0] == ("a",)


def test_cursor_after_an_item_that_is_gone_gives_an_empty_page() -> None:
    cursor = urlsafe_b64encode(b"after:gone").decode()
    assert page(["a", "b"], cursor, 1, str) == ((), "")


def test_refusals_have_the_venues_shapes() -> None:
    assert error(404, "not_found", "gone").body == b'{"error":{"code":"not_found","message":"gone"}}'
    assert error(400, "invalid_order", "no", "post only cross").body == (
        b'{"error":{"code":"invalid_order","message":"no","details":"post only cross"}}'
    )
    assert bad_query("limit").body == b'{"msg":"limit"}'
    assert bad_body("x").body == b'{"code":"bad_request","message":"bad request","details":"x"}'
    assert (TOO_MANY_REQUESTS.status, TOO_MANY_REQUESTS.body) == (429, b'{"error":"too many requests"}')
