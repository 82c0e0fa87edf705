"""Long answers, which come in pages."""

import msgspec


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of an answer; `cursor` asks for the next one and is empty, or absent, on the last."""

    cursor: str | None = ""
