"""`fairstrike replay`: recordings through the engine, with progress, and the figures that follow."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from fairstrike.app import build, config, folders
from fairstrike.app.turn import Turn
from fairstrike.core.errors import ArithmeticRefusal, RecordingError, UsageError
from fairstrike.core.events import Event
from fairstrike.core.records import RunStarted, TapeFile
from fairstrike.core.units import CC_PER_CONTRACT, UD_PER_DOLLAR, parse_ud
from fairstrike.engine import Engine
from fairstrike.exchange.replay import Params as ReplayParams
from fairstrike.market.index import Params as IndexParams
from fairstrike.pricing.implied import Params as ImpliedParams
from fairstrike.research import backtest
from fairstrike.research.importers.base import Recording, Result
from fairstrike.research.importers.formats import recordings as recordings_of
from fairstrike.research.importers.formats import results_of
from fairstrike.research.observer import Observer
from fairstrike.research.report import Counts, Finished, ReplayReport, replay_report
from fairstrike.research.violations import Violations
from fairstrike.risk.limits import Pace
from fairstrike.risk.limits import Params as LimitsParams
from fairstrike.store.journal import Journal
from fairstrike.store.tape import digest
from fairstrike.strategy.market_maker import Params as MarketMakerParams
from fairstrike.strategy.taker import Params as TakerParams
from fairstrike.worker.answering import Answers

ACCOUNT = "replay"
_CHOICE_MAX = 1_000_000_000
_ROOMS = config.RoomSettings(
    # A ladder that is polled twice an hour leaves no returns: its own other strikes say how much the index moves.
    implied=ImpliedParams(strikes_min=2),
    # Bitcoin's error is measured. Ether's is Bitcoin's, in proportion to the price: an assumption.
    index=IndexParams(proxy_sd_e8={**IndexParams().proxy_sd_e8, "coinbase/ETH": 20_000_000}),
    # A poll shows hundreds of markets at one instant, and an event whose result nobody recorded is held for ever.
    limits=LimitsParams(positions_max=1_000, pace=Pace(per_second_max=1_000, per_minute_max=10_000)),
)
_EDGE_CENTS_MAX = 100


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Recordings found good to read, in order of their first frame, with their markets' results."""

    recordings: list[Recording]
    found: dict[str, Result]
    started: RunStarted
    settings: config.Settings

    @property
    def bytes_total(self) -> int:
        """The size of all recordings as files."""
        return sum(recording.bytes_total for recording in self.recordings)

    @property
    def bytes_read(self) -> int:
        """How much of them was read."""
        return sum(recording.bytes_read for recording in self.recordings)


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of a replay: strategies by name, contracts and cents; None is unsaid.

    `cash` is the text of an amount in dollars: a whole number of microdollars, which a float may not be.
    """

    strategies: tuple[str, ...] | None = None
    cash: str | None = None
    size: int | None = None
    net_max: int | None = None
    edge: float | None = None


def settings_of(path: Path | None, choices: Choices) -> config.Settings:
    """Give a settings file's settings, or those the command line's choices make.

    Raises `UsageError` for a choice that makes no sense, and for choices beside a file.
    """
    if path is not None:
        if choices != Choices():
            raise UsageError(
                "--config states the whole run; leave out --strategy, --cash, --size, --net-max and --edge"
            )
        return config.load(path)
    chosen = choices.strategies or ("taker", "market_maker")
    unknown = [name for name in chosen if name not in ("taker", "market_maker", "none")]
    if unknown:
        raise UsageError(f"there is no strategy {unknown[0]!r} for a replay; choose taker, market_maker or none")
    for option, value in (("size", choices.size), ("net-max", choices.net_max)):
        if value is not None and not 0 < value <= _CHOICE_MAX:
            raise UsageError(f"--{option} {value:g} is not above zero, or beyond all reason; correct it")
    if choices.edge is not None and not abs(choices.edge) <= _EDGE_CENTS_MAX:
        raise UsageError(f"--edge {choices.edge:g} is not a number of cents a contract can bring; correct it")
    return config.Settings(rooms=_ROOMS, strategies=_strategies(chosen, choices), replay=_replay(choices))


def _strategies(chosen: Sequence[str], choices: Choices) -> config.Strategies:
    both = {"size_cc": choices.size, "position_cc_max": choices.net_max}
    changes: dict[str, int | float] = {
        name: value * CC_PER_CONTRACT for name, value in both.items() if value is not None
    }
    edge: dict[str, float] = {} if choices.edge is None else {"edge_cents": choices.edge}
    taker, maker = TakerParams(), MarketMakerParams(quotes_ranges=True)
    return config.Strategies(
        taker=msgspec.structs.replace(taker, **changes, **edge) if "taker" in chosen else None,
        market_maker=msgspec.structs.replace(maker, **changes) if "market_maker" in chosen else None,
    )


def _replay(choices: Choices) -> ReplayParams:
    if choices.cash is None:
        return ReplayParams()
    try:
        cash_ud = parse_ud(choices.cash)
    except ArithmeticRefusal:
        raise UsageError(
            f"--cash {choices.cash} is not an amount in dollars with at most six decimals, such as 10000 or 0.25; "
            "correct it"
        ) from None
    if not 0 < cash_ud <= _CHOICE_MAX * UD_PER_DOLLAR:
        raise UsageError(f"--cash {choices.cash} is not above zero, or beyond all reason; correct it")
    return ReplayParams(cash_ud=cash_ud)


def prepare(files: Sequence[Path], settings: config.Settings) -> Prepared:
    """Give the run that `files` make together.

    Raises `UsageError` without files, `RecordingError` for a file that cannot be used.
    """
    if not files:
        raise UsageError("no recording was named; give at least one file or folder, e.g. RUN.jsonl.gz")
    recordings = recordings_of(files)
    names = [recording.path.name for recording in recordings]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise RecordingError(f"two recordings are called {twice}; a run knows them by name: rename one of them")
    found = results_of(recordings)
    tape = [
        TapeFile(name=file.name, sha256=digest(file), beside_sha256=each.beside_sha256())
        for each in recordings
        for file in each.files
    ]
    seen: dict[str, str] = {}
    for read in tape:
        other = seen.setdefault(read.sha256, read.name)
        if other != read.name:
            raise RecordingError(f"{other} and {read.name} are the same recording under two names; name one of them")
    started = build.run_started(settings, ACCOUNT, recordings[0].first_ns, tape, execution="backtest")
    return Prepared(recordings=recordings, found=found, started=started, settings=settings)


def run(
    prepared: Prepared, folder: Path, on_progress: Callable[[int], None], on_read: Callable[[], None] = lambda: None
) -> ReplayReport:
    """Replay into a journal in `folder`, write the page beside it, and give the figures.

    `on_progress` is called with the bytes read so far, `on_read` once when all are read and the figures are next.
    Journal and page of a replay that are there are replaced together when these are whole, not before.
    """
    with folders.replay_results(folder) as place:
        journal = Journal(place / folders.JOURNAL, prepared.settings.journal)
        engine = build.engine(prepared.started, prepared.settings)
        turn = Turn(engine, journal, keeps_inputs=False)
        observer, violations = Observer(engine), Violations()

        def look(instant_ns: int, events: Sequence[Event]) -> None:
            observer.see(instant_ns, events)
            violations(instant_ns, events, engine)

        drive(prepared, engine, turn, on_progress, look)
        on_read()
        journal.close(prepared.started.run_ns)
        counts = Counts(events=turn.events, decisions=turn.decisions, wakes=turn.wakes, refused=dict(turn.refused))
        finished = Finished(
            engine=engine,
            observer=observer,
            violations=violations,
            counts=counts,
            recordings=prepared.recordings,
            derived={result.ticker: result.is_derived for result in prepared.found.values()},
            journal=str(folder),
            digest=journal.digest(),
        )
        report = replay_report(finished)
        _write_page(prepared.started, finished, report, place / folders.PAGE)
    return msgspec.structs.replace(report, page=str(folder / folders.PAGE))


def _write_page(started: RunStarted, finished: Finished, report: ReplayReport, path: Path) -> None:
    # What draws takes a second to import; whoever only verifies a run is spared it.
    from fairstrike.research.page import page_of, render

    path.write_text(render(page_of(started, finished, report)), encoding="utf-8")


def drive(
    prepared: Prepared,
    engine: Engine,
    turn: Turn,
    on_progress: Callable[[int], None],
    on_unit: backtest.Look | None = None,
) -> None:
    """Run the recordings through a turn to their end; `on_unit` sees every unit after it."""
    recorded = build.simulation(engine, prepared.settings, backtest.feed(prepared.recordings, prepared.found))
    world = backtest.Computed(recorded, Answers(), backtest.COMPUTED_AFTER_NS)
    first = turn.start(prepared.started)
    backtest.run(world, turn, first, lambda _: on_progress(prepared.bytes_read), on_unit)


def folder_of(prepared: Prepared) -> Path:
    """Give the run folder that settings and recordings imply: the same run, the same folder."""
    name = hashlib.sha256(msgspec.json.encode(prepared.started)).hexdigest()[:12]
    return folders.RUNS / f"replay-{name}"
