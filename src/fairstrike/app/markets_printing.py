"""What `fairstrike markets` prints for people."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from fairstrike.app.desk.ladders import strike
from fairstrike.app.desk.picture import FAINT
from fairstrike.app.desk.tables import ABSENT, Sheet, lasting, put
from fairstrike.app.markets import Catalogue
from fairstrike.app.printing import counted
from fairstrike.core.contract import Contract
from fairstrike.core.timing import HOUR_NS, new_york
from fairstrike.core.units import CC_PER_CONTRACT, E8_PER_DOLLAR, TICKS_PER_CENT
from fairstrike.market.catalog import Listing

_console = Console(highlight=False)
_DAY_HOURS = 48
_TICKERS_SHOWN = 3


def catalogue(listed: Catalogue, *, with_strikes: bool) -> None:
    """Print the events, soonest first; of each its markets too, when asked for; and what is not understood."""
    width = _console.width if _console.is_terminal else 1_000
    put(_console, _events(listed).fitting(width).under_title())
    for listings in listed.events if with_strikes else ():
        put(_console, "")
        put(_console, _markets(listings, listed.now_ns).fitting(width).under_title())
    for doubt in listed.report.doubts:
        shown = ", ".join(doubt.tickers[:_TICKERS_SHOWN])
        more = len(doubt.tickers) - _TICKERS_SHOWN
        which = f"{shown} and {more:,} more" if more > 0 else shown
        what = "left out" if doubt.is_left_out else "taken by the structured fields"
        put(_console, f"[yellow]![/] {escape(which)}: {escape(doubt.reason)}; {what}")
    for series, reason in listed.report.unread.items():
        put(_console, f"[red]✗[/] {series} could not be read: {escape(reason)}")


def _events(listed: Catalogue) -> Sheet:
    sharing: dict[str, list[str]] = {}
    for listings in listed.events:
        sharing.setdefault(listings[0].contract.group, []).append(listings[0].contract.series)
    rows = [_event(listings, sharing, listed.now_ns) for listings in listed.events]
    columns: tuple[str, ...] = (
        "event",
        "timeframe",
        "closes, New York",
        "in",
        "state",
        "markets",
        "strikes",
        "step",
        "tick",
        "same value",
    )
    if len({listings[0].contract.series for listings in listed.events}) < 2:
        # One series alone does not tell what else settles on its values.
        rows, columns = [row[:-1] for row in rows], columns[:-1]
    spare = ("same value", "step", "tick", "timeframe", "markets", "state")
    return Sheet(title=f"Events on {listed.report.environment}", columns=columns, rows=rows, left=3, spare=spare)


def _event(listings: Sequence[Listing], sharing: dict[str, list[str]], now_ns: int) -> tuple[str | Text, ...]:
    contracts = [listing.contract for listing in listings]
    first = contracts[0]
    others = [series for series in sharing[first.group] if series != first.series]
    lowest, highest, step = _span(contracts)
    return (
        first.event_ticker,
        first.timeframe.value,
        f"{new_york(first.close_ns):%a %d %b %H:%M}",
        _left(first.close_ns - now_ns),
        _state(listings, now_ns),
        f"{len(contracts):,}",
        strike(first) if len(contracts) == 1 else f"{lowest} – {highest}",
        step,
        _tick(first),
        ", ".join(others) or Text(ABSENT, FAINT),
    )


def _markets(listings: Sequence[Listing], now_ns: int) -> Sheet:
    rows = [
        (
            listing.contract.ticker,
            strike(listing.contract),
            "open" if listing.is_open(now_ns) else listing.status,
            f"{listing.volume_24h_cc // CC_PER_CONTRACT:,}",
        )
        for listing in listings
    ]
    title = listings[0].contract.event_ticker
    return Sheet(title=title, columns=("market", "pays if", "state", "volume 24 h"), rows=rows, spare=("volume 24 h",))


def _state(listings: Sequence[Listing], now_ns: int) -> str | Text:
    """Give whether an event's markets are open; for one to come, when it opens."""
    opens_in_ns = listings[0].contract.open_ns - now_ns
    if opens_in_ns > 0:
        return Text(f"opens in {_left(opens_in_ns)}", FAINT)
    count = sum(listing.is_open(now_ns) for listing in listings)
    if count == len(listings):
        return Text("open", "green")
    if not any(listing.contract.is_struck for listing in listings):
        return Text("no strike yet", "yellow")
    return Text(f"{counted(count, 'market')} open" if count else listings[0].status, "yellow")


def _span(contracts: Sequence[Contract]) -> tuple[str, str, str]:
    """Give the lowest and the highest strike and the commonest distance between neighbours."""
    strikes = sorted(
        {e8 for one in contracts if (e8 := one.floor_e8 if one.cap_e8 is None else one.cap_e8) is not None}
    )
    steps = Counter(upper - lower for lower, upper in pairwise(strikes))
    step = _dollars(steps.most_common(1)[0][0]) if steps else ABSENT
    return (_dollars(strikes[0]), _dollars(strikes[-1]), step) if strikes else (ABSENT, ABSENT, step)


def _tick(contract: Contract) -> str:
    steps = sorted({stretch.step_ticks for stretch in contract.grid})
    cents = [f"{ticks / TICKS_PER_CENT:g}" for ticks in steps]
    return f"{cents[0]} ¢" if len(cents) == 1 else f"{cents[0]} – {cents[-1]} ¢"


def _left(duration_ns: int) -> str:
    hours = duration_ns // HOUR_NS
    return lasting(duration_ns) if hours < _DAY_HOURS else f"{hours // 24} days"


def _dollars(e8: int) -> str:
    return f"{e8 / E8_PER_DOLLAR:,.2f}".removesuffix(".00")
