"""The nearest events as a live table: strikes sorted, both sides of each book, model and fit beside market.

Under the first event of a settlement group a line says what its quotes prove: a portfolio that cannot lose, or that no
distribution agrees with all of them. It is evidence, not advice.

The lines of the terminal are dealt to the events in turn. An event with more strikes than lines shows those around the
money: where the fair value, or else the middle of the market, is nearest to one half.
"""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.style import Style
from rich.text import Text

from fairstrike.app.desk.panel import dealt
from fairstrike.app.desk.picture import FAINT, GAIN_STYLE, GRID, INDEX_STYLE, LOSS_STYLE
from fairstrike.app.desk.sights import Ladder, Sight, Sights
from fairstrike.app.desk.tables import ABSENT, GAP, clock, lasting, regime_words
from fairstrike.core.contract import Comparison, Contract
from fairstrike.core.order import Side
from fairstrike.core.records import Leg
from fairstrike.core.timing import SECOND_NS
from fairstrike.core.units import CC_PER_CONTRACT, E8_PER_DOLLAR, PPM, TICKS_PER_CENT, TICKS_PER_DOLLAR, UD_PER_DOLLAR

EVENTS_SHOWN = 4
RAIL_WIDTH = 26
_EVENT_LINES = 3
_LEAST_ROWS = 3
_FRAME_COLUMNS, _FRAME_LINES = 4, 2
_HALF_PPM = PPM // 2
_CENT_PPM = PPM // 100
_EVEN_PPM = _CENT_PPM // 20
_MARKET_STYLE = Style(bold=True)
_STRIKE, _RAIL = "strike", "0" + " " * (RAIL_WIDTH - 3) + "$1"
_BID_SIZE, _BID, _ASK, _ASK_SIZE = "size", "bid ¢", "ask ¢", "size "
_FAIR, _EDGE, _FITTED, _UNFITTED = "fair ¢", "− market", "fitted ¢", "− fitted"
_COLUMNS = (_STRIKE, _BID_SIZE, _BID, _ASK, _ASK_SIZE, _FAIR, _EDGE, _FITTED, _UNFITTED, _RAIL)
_LEFT = (_ASK_SIZE, _RAIL)
_POLLED = "REST"
_SPARE = (_RAIL, _UNFITTED, _BID_SIZE, _ASK_SIZE, _FITTED, _EDGE, _FAIR)
"""What a narrow terminal gives up, the first first."""


def screen(sights: Sights, now_ns: int, width: int, height: int) -> RenderableType:
    """Give the table, `width` characters by `height` lines, made for 40 × 12 and more."""
    notes = _notes(sights)
    lines = height - _FRAME_LINES - len(notes)
    ladders = sights.ladders(now_ns)
    proofs = _proofs(ladders)
    shown = _shown(ladders, proofs, lines)
    proofs = {name: proof for name, proof in proofs.items() if any(name == one.event_ticker for one in shown)}
    columns = _columns(shown, width - _FRAME_COLUMNS)
    lines -= len(proofs)
    rows = dealt(lines - _EVENT_LINES * len(shown) + 1, [len(ladder.sights) for ladder in shown])
    parts: list[RenderableType] = []
    for ladder, room in zip(shown, rows, strict=True):
        parts += [Text()] if parts else []
        parts += [_heading(ladder, now_ns, room, width - _FRAME_COLUMNS), _table(around(ladder.sights, room), columns)]
        parts += [proofs[ladder.event_ticker]] if ladder.event_ticker in proofs else []
    if not shown:
        parts.append(_nothing(sights, now_ns))
    frame = Panel(
        Group(*parts, *_padding(lines, shown, rows), *notes), title=_title(sights, now_ns), title_align="left"
    )
    frame.box, frame.border_style, frame.width, frame.height = box.ROUNDED, FAINT, width, height
    return frame


def around(sights: Sequence[Sight], room: int) -> Sequence[Sight]:
    """Give at most `room` neighbouring markets, those nearest to the money in their middle."""
    if len(sights) <= room:
        return sights
    known = [
        (abs(worth - _HALF_PPM), at) for at, sight in enumerate(sights) if (worth := _worth_ppm(sight)) is not None
    ]
    centre = min(known)[1] if known else len(sights) // 2
    first = min(max(0, centre - room // 2), len(sights) - room)
    return sights[first : first + room]


def strike(contract: Contract) -> str:
    """Give what a market asks of the settlement value, in dollars."""
    floor, cap = (None if e8 is None else _dollars(e8) for e8 in (contract.floor_e8, contract.cap_e8))
    match contract.comparison:
        case _ if not contract.is_struck:
            return "not published yet"
        case Comparison.ABOVE:
            return f"> {floor}"
        case Comparison.AT_LEAST:
            return f"≥ {floor}"
        case Comparison.BELOW:
            return f"< {cap}"
        case _:
            return f"{floor} – {cap}"


def rail(sight: Sight, width: int) -> Text:
    """Draw nothing to a dollar: the market from bid to ask, where the fit is (◇) and, over it, the model (◆)."""
    bid, ask = sight.bid_ticks, sight.ask_ticks
    text = Text("·" * width, GRID)
    if bid is not None or ask is not None:
        first = 0 if bid is None else _at(bid, TICKS_PER_DOLLAR, width)
        last = width - 1 if ask is None else _at(ask, TICKS_PER_DOLLAR, width)
        between, behind = last - first + 1, width - last - 1
        text = Text.assemble(("·" * first, GRID), ("━" * between, INDEX_STYLE), ("·" * behind, GRID))
    for ppm, mark, style in (
        (sight.fitted_ppm, "◇", _MARKET_STYLE),
        (sight.fair_ppm, "◆", _edge_style(sight.edge_ppm)),
    ):
        if ppm is not None:
            at = _at(ppm, PPM, width)
            text = Text.assemble(text[:at], (mark, style), text[at + 1 :])
    return text


def leg(of: Leg, contract: Contract | None) -> str:
    """Give one leg of a portfolio in words; without its contract the market goes by its ticker."""
    act = "buy" if of.side is Side.BID else "sell"
    market = of.ticker if contract is None else strike(contract)
    return f"{act} {_size(of.size_cc)} {market} at {of.price_ticks / TICKS_PER_CENT:.1f}"


def _shown(ladders: Sequence[Ladder], proofs: Mapping[str, Text], lines: int) -> Sequence[Ladder]:
    """Give the events that fit with a few rows each, one at least."""
    # No blank line follows the last.
    used = -1
    for count, ladder in enumerate(ladders[:EVENTS_SHOWN]):
        used += _EVENT_LINES + min(_LEAST_ROWS, len(ladder.sights)) + (ladder.event_ticker in proofs)
        if count and used > lines:
            return ladders[:count]
    return ladders[:EVENTS_SHOWN]


def _proofs(ladders: Sequence[Ladder]) -> dict[str, Text]:
    """Give what the quotes of each settlement group prove, by the first of its events."""
    contracts = {sight.contract.ticker: sight.contract for ladder in ladders for sight in ladder.sights}
    firsts: dict[str, Ladder] = {}
    for ladder in ladders:
        firsts.setdefault(ladder.group, ladder)
    found: dict[str, Text] = {}
    for ladder in firsts.values():
        riskless, fit, line = ladder.riskless, ladder.fit, Text(no_wrap=True, overflow="ellipsis")
        if riskless is not None:
            legs = ", ".join(leg(one, contracts.get(one.ticker)) for one in riskless.legs)
            line.append(
                f"riskless: gains at least ${riskless.worst_ud / UD_PER_DOLLAR:,.2f} with legs {legs}", GAIN_STYLE
            )
        elif fit is not None and fit.slack_ppm:
            line.append(
                f"no distribution agrees with all quotes: they are up to {fit.slack_ppm / _CENT_PPM:.1f} ¢ off",
                "yellow",
            )
        if line:
            found[ladder.event_ticker] = line
    return found


def _columns(shown: Sequence[Ladder], width: int) -> dict[str, int]:
    """Give the columns that fit, by name, and how wide each is: the same for every event."""
    cells = [_cells(sight) for ladder in shown for sight in ladder.sights]
    found = {name: max([len(name), *(one[name].cell_len for one in cells)]) for name in _COLUMNS}
    if any(sight.is_polled for ladder in shown for sight in ladder.sights):
        width -= GAP + len(_POLLED)
    for name in _SPARE:
        if sum(found.values()) + GAP * (len(found) - 1) <= width:
            break
        del found[name]
    return found


def _table(sights: Sequence[Sight], columns: dict[str, int]) -> Group:
    """Give headings and a line a market; where neither book nor picture is, the reason stands for the figures."""
    lines = [_line({name: Text(name, FAINT) for name in columns}, columns)]
    for sight in sights:
        cells = _cells(sight)
        if sight.absent and _RAIL not in columns:
            lines.append(_line(cells, {_STRIKE: columns[_STRIKE]}, sight.absent))
        else:
            lines.append(_line(cells, columns, _POLLED if sight.is_polled else ""))
    return Group(*lines)


def _line(cells: Mapping[str, Text], columns: dict[str, int], note: str = "") -> Text:
    """Give the cells of the columns, each as wide as its column, with a note behind them."""
    parts = []
    for name, width in columns.items():
        blank = " " * (width - cells[name].cell_len)
        parts.append(Text.assemble(cells[name], blank) if name in _LEFT else Text.assemble(blank, cells[name]))
    if note:
        parts.append(Text(note, FAINT))
    return Text(" " * GAP, no_wrap=True, overflow="ellipsis").join(parts)


def _cells(sight: Sight) -> dict[str, Text]:
    """Give a market's figures by column; where there is no book the picture's place says why."""
    known = {_STRIKE: Text(strike(sight.contract))}
    if sight.absent:
        return dict.fromkeys(_COLUMNS, Text(ABSENT, FAINT)) | known | {_RAIL: Text(sight.absent[:RAIL_WIDTH], FAINT)}
    return known | {
        _BID_SIZE: Text(_size(sight.bid_cc), FAINT),
        _BID: _cents(sight.bid_ticks),
        _ASK: _cents(sight.ask_ticks),
        _ASK_SIZE: Text(_size(sight.ask_cc), FAINT),
        _FAIR: _worth(sight.fair_ppm),
        _EDGE: _difference(sight.edge_ppm),
        _FITTED: _worth(sight.fitted_ppm),
        _UNFITTED: _difference(sight.unfitted_ppm),
        _RAIL: rail(sight, RAIL_WIDTH),
    }


def _price(ladder: Ladder, now_ns: int) -> Text:
    reference = ladder.reference
    if reference is None:
        return Text(f"  no {ladder.asset} price: {ladder.no_reference}", FAINT)
    source = f"{reference.source}, a proxy" if reference.is_proxy else reference.source
    return Text.assemble(
        (f"  {ladder.asset} {reference.value_e8 / E8_PER_DOLLAR:,.2f}", INDEX_STYLE),
        (
            f" {source}, {max(0, now_ns - reference.at_ns) / SECOND_NS:.0f} s",
            "yellow" if ladder.is_late_proxy else FAINT,
        ),
    )


def _heading(ladder: Ladder, now_ns: int, room: int, width: int) -> Text:
    count = len(ladder.sights)
    counted = f"{room} of {count} strikes" if room < count else f"{count} strike{'s' * (count > 1)}"
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(ladder.event_ticker, "bold")
    line.append(
        f"  closes in {lasting(ladder.closes_in_ns)}", "yellow" if ladder.closes_in_ns < 120 * SECOND_NS else ""
    )
    price, wait = _price(ladder, now_ns), Text(f"  {ladder.no_fair}" if ladder.no_fair else "", "yellow")
    left = width - line.cell_len - price.cell_len
    # How long is what a narrow terminal shows, before the price if need be; the reason where there is room.
    wait = wait if wait.cell_len <= left else wait.split(":")[0]
    for part in (price, wait) if wait.cell_len <= left else (wait, price):
        line.append_text(part)
    if ladder.regime is not None:
        line.append(f"  {regime_words(ladder.regime)}", "yellow" if ladder.regime.is_spiky else FAINT)
    if ladder.fit is not None:
        line.append(f"  fit {max(0, now_ns - ladder.fit.asked_ns) / SECOND_NS:.0f} s", FAINT)
    spare = width - line.cell_len - len(counted)
    if spare >= GAP:
        line.append(" " * spare + counted, FAINT)
    return line


def _title(sights: Sights, now_ns: int) -> Text:
    if sights.run is None:
        return Text(" fairstrike  waiting for the trader ", "bold")
    line = Text.assemble((" fairstrike ", "bold"), f" observe · {sights.run.environment} · {clock(now_ns)} UTC · ")
    if sights.silence:
        return line.append(f"{sights.silence} ", "yellow")
    if sights.is_streaming:
        return line.append("stream up ", GAIN_STYLE)
    return line.append(f"books by REST: {sights.stream} ", "yellow")


def _notes(sights: Sights) -> list[RenderableType]:
    if not (troubles := sights.troubles):
        return []
    newest = " ".join(troubles[-1].split())
    return [Text(f"! {newest}", "yellow", no_wrap=True, overflow="ellipsis")]


def _nothing(sights: Sights, now_ns: int) -> Text:
    close_ns = sights.next_close_ns(now_ns)
    if close_ns is not None:
        return Text(f"no market is near its close; the next closes in {lasting(close_ns - now_ns)}", FAINT)
    return Text("every market listed is closed" if sights.has_listed else "waiting for the list of markets", FAINT)


def _padding(lines: int, shown: Sequence[Ladder], rows: Sequence[int]) -> list[RenderableType]:
    """Give the blank lines that keep the notes at the bottom."""
    used = sum(rows) + _EVENT_LINES * len(shown) - 1 if shown else 1
    return [Text()] * max(0, lines - used)


def _worth_ppm(sight: Sight) -> int | None:
    if sight.fair_ppm is not None:
        return sight.fair_ppm
    if sight.bid_ticks is None and sight.ask_ticks is None:
        return None
    bid = 0 if sight.bid_ticks is None else sight.bid_ticks
    ask = TICKS_PER_DOLLAR if sight.ask_ticks is None else sight.ask_ticks
    return (bid + ask) * (PPM // TICKS_PER_DOLLAR) // 2


def _edge_style(edge_ppm: int | None) -> Style:
    if edge_ppm is None or abs(edge_ppm) < _EVEN_PPM:
        return _MARKET_STYLE
    return GAIN_STYLE if edge_ppm > 0 else LOSS_STYLE


def _at(value: int, whole: int, width: int) -> int:
    return min(width - 1, max(0, value * width // whole))


def _cents(ticks: int | None) -> Text:
    return Text(ABSENT, FAINT) if ticks is None else Text(f"{ticks / TICKS_PER_CENT:.1f}", _MARKET_STYLE)


def _worth(ppm: int | None) -> Text:
    return Text(ABSENT, FAINT) if ppm is None else Text(f"{ppm / _CENT_PPM:.1f}")


def _difference(ppm: int | None) -> Text:
    if ppm is None:
        return Text(ABSENT, FAINT)
    sign = "" if abs(ppm) < _EVEN_PPM else "+" if ppm > 0 else "−"
    return Text(f"{sign}{abs(ppm) / _CENT_PPM:.1f}", _edge_style(ppm))


def _size(cc: int) -> str:
    if not cc:
        return ""
    return f"{cc / CC_PER_CONTRACT:,.2f}" if cc % CC_PER_CONTRACT else f"{cc // CC_PER_CONTRACT:,}"


def _dollars(e8: int) -> str:
    """Give a strike as dollars, with as many decimals as it has and never just one."""
    text = f"{e8 // E8_PER_DOLLAR:,}.{e8 % E8_PER_DOLLAR:08d}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return whole if not decimals else f"{whole}.{decimals:0<2}"
