"""Client order ids: every part comes back, foreign ids are not ours."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairstrike.core.errors import ArithmeticRefusal
from fairstrike.core.ids import OrderIdParts, account_tag, group_id, pack_order_id, unpack_order_id

PARTS = st.builds(
    OrderIdParts,
    tag=st.text(max_size=40).map(account_tag),
    run_ms=st.integers(0, 2**42 - 1),
    strategy=st.integers(0, 2**8 - 1),
    counter=st.integers(0, 2**32 - 1),
)
SOUND = OrderIdParts(tag=account_tag("key"), run_ms=1_778_760_000_000, strategy=3, counter=17)


@given(PARTS)
def test_parts_come_back(parts: OrderIdParts) -> None:
    assert parts == unpack_order_id(pack_order_id(parts))


@given(PARTS, PARTS)
def test_different_parts_give_different_ids(one: OrderIdParts, other: OrderIdParts) -> None:
    assert (one == other) == (pack_order_id(one) == pack_order_id(other))


@given(PARTS)
def test_id_is_a_uuid_of_version_8(parts: OrderIdParts) -> None:
    text = pack_order_id(parts)
    assert len(text) == 36
    assert uuid.UUID(text).version == 8
    assert uuid.UUID(text).variant == uuid.RFC_4122


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not an id",
        "fairstrike-1",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "00000000-0000-8000-8000-000000000000",
        "ffffffff-ffff-8fff-bfff-ffffffffffff",
        "00000000-0000-0000-0000-000000000000",
    ],
)
def test_foreign_id_is_not_ours(text: str) -> None:
    assert unpack_order_id(text) is None


@given(st.uuids())
def test_random_uuid_is_not_ours(foreign: uuid.UUID) -> None:
    assert unpack_order_id(str(foreign)) is None


@given(st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    assert unpack_order_id(text) is None


def test_id_with_a_spare_bit_set_is_not_ours() -> None:
    number = uuid.UUID(pack_order_id(SOUND)).int
    assert all(unpack_order_id(str(uuid.UUID(int=number | 1 << bit))) is None for bit in range(16))


@pytest.mark.parametrize(
    "parts",
    [
        OrderIdParts(tag=1 << 24, run_ms=0, strategy=0, counter=0),
        OrderIdParts(tag=0, run_ms=1 << 42, strategy=0, counter=0),
        OrderIdParts(tag=0, run_ms=0, strategy=256, counter=0),
        OrderIdParts(tag=0, run_ms=0, strategy=0, counter=1 << 32),
        OrderIdParts(tag=0, run_ms=0, strategy=0, counter=-1),
    ],
)
def test_part_that_does_not_fit_is_refused(parts: OrderIdParts) -> None:
    with pytest.raises(ArithmeticRefusal, match="does not fit"):
        pack_order_id(parts)


@given(st.text(max_size=40))
def test_account_tag_names_the_product_in_24_bits(account: str) -> None:
    assert account_tag(account) >> 12 == 0xFA5
    assert account_tag(account) == account_tag(account)


def test_accounts_have_different_tags() -> None:
    assert account_tag("key one") != account_tag("key two")


def test_one_close_of_one_asset_is_one_group() -> None:
    assert group_id("BTC", 1_778_760_000 * 10**9) == "BTC@1778760000"
    assert group_id("BTC", 1_778_760_000 * 10**9) != group_id("ETH", 1_778_760_000 * 10**9)
