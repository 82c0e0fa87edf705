"""The command line. Each command parses, calls, prints; what it does lives elsewhere."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from typer.main import get_command

from fairstrike import __version__
from fairstrike.app import crash, recording_commands
from fairstrike.app.parent import end_with_parent
from fairstrike.core.contract import Timeframe
from fairstrike.core.errors import FairstrikeError, UsageError

app = typer.Typer(
    name="fairstrike",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_FORMATS = "the formats that docs/guides/recordings.md lists"
_MEASURING = ("replay", "stats", "verify", "compact", "coverage", "export")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings: a .toml, .yaml or .json file.")]

Env = Annotated[str | None, typer.Option(help="prod, demo or box; else what the settings or .env say, else prod.")]
Box = Annotated[Path | None, typer.Option(help="File with the first line of `fairstrike exchange --json`.")]


class Liquidity(StrEnum):
    """Who else trades on the exchange in a box."""

    DEMO = "demo"
    CALIBRATED = "calibrated"


@app.callback()
def fairstrike(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Trade Kalshi's short-term crypto markets, or rehearse it. Looks only, unless asked to trade."""
    if version:
        print(__version__)
        raise typer.Exit
    if context.invoked_subcommand in _MEASURING:
        crash.end_like_interrupted()


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help=f"Recordings as files or folders, in {_FORMATS}.")],
    as_json: Json = False,
    config_file: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="The whole run's settings, a .toml, .yaml or .json file; "
            "excludes --strategy, --cash, --size, --net-max and --edge.",
        ),
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Run folder for the journal (default: under runs/).")] = None,
    strategy: Annotated[
        list[str] | None, typer.Option(help="taker, market_maker or none; may be given more than once.")
    ] = None,
    cash: Annotated[str | None, typer.Option(metavar="DOLLARS", help="Starting cash (10000).")] = None,
    size: Annotated[int | None, typer.Option(help="Contracts an order (10).")] = None,
    net_max: Annotated[int | None, typer.Option(help="Most net contracts a market (100).")] = None,
    edge: Annotated[float | None, typer.Option(help="Least edge of the taker after fees, in cents (3).")] = None,
) -> None:
    """Run the engine on real recordings and say what came of it."""
    from fairstrike.app import printing, replay_printing, replaying

    settings = replaying.settings_of(
        config_file,
        replaying.Choices(strategies=tuple(strategy or ()) or None, cash=cash, size=size, net_max=net_max, edge=edge),
    )
    with printing.working("checking recordings", is_shown=not as_json):
        prepared = replaying.prepare(files, settings)
    place = folder or replaying.folder_of(prepared)
    with printing.progress("replaying", prepared.bytes_total, is_shown=not as_json, in_bytes=True) as advance:
        report = replaying.run(prepared, place, advance, lambda: advance.then("writing the report"))
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        replay_printing.replay(report)


@app.command()
def stats(
    paths: Annotated[list[Path], typer.Argument(help=f"Recordings as files or folders, in {_FORMATS}.")],
    as_json: Json = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with tables and pictures to this file.")] = None,
) -> None:
    """Measure what recorded markets do: rates, sizes, spreads, crossings, by time to close."""
    from fairstrike.app import printing, stats_printing
    from fairstrike.app import stats as measuring

    with printing.working("checking recordings", is_shown=not as_json):
        recordings = measuring.prepare(paths, html)
    with printing.progress(
        "reading", measuring.bytes_total(recordings), is_shown=not as_json, in_bytes=True
    ) as advance:
        surveyed = measuring.run(recordings, advance)
        if html is not None:
            advance.then("drawing the page")
            measuring.write_page(surveyed, html)
    if as_json:
        print(msgspec.json.encode(surveyed.report).decode())
    else:
        stats_printing.statistics(surveyed.report)
        if html is not None:
            print(f"page {html}")


@app.command()
def verify(
    journal: Annotated[Path, typer.Argument(help="A run folder, or its journal folder.")],
    tape: Annotated[
        list[Path] | None, typer.Option(help="A recording the run read, or a folder of them; once for each.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Replay a journal's inputs and hold every decision against the record, byte for byte."""
    from fairstrike.app import printing, verifying

    files = tape or []
    # How much there is to read in a folder is known only when it has been looked through.
    total = sum(path.stat().st_size for path in files if path.is_file()) if all(map(Path.is_file, files)) else None
    with printing.progress("verifying", total or None, is_shown=not as_json) as advance:
        verified = verifying.verify(journal, files, advance)
    if as_json:
        print(msgspec.json.encode(verified).decode())
    else:
        printing.verified(verified)


@app.command()
def doctor(
    env: Env = None,
    box: Box = None,
    config_file: Config = None,
    folder: Annotated[Path, typer.Option(help="Where runs are kept.")] = Path("runs"),
    disk_min: Annotated[
        float | None, typer.Option(metavar="GIB", help="Least free disk space, in GiB; else as the settings say.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check settings, key, disk, clock and the way to the exchange, and say what to do. Only looks."""
    from fairstrike.app import diagnosis_printing
    from fairstrike.app import doctor as examining
    from fairstrike.app.disk import GIB

    least = None if disk_min is None else int(disk_min * GIB)
    wanted = examining.Wanted(env=env, box=box, config_file=config_file, folder=folder, disk_min=least)
    with diagnosis_printing.findings(is_shown=not as_json) as on_finding:
        report = examining.examine(wanted, on_finding)
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        diagnosis_printing.verdict(report)
    raise typer.Exit(report.exit_code)


@app.command()
def smoke(
    env: Env = None,
    box: Box = None,
    config_file: Config = None,
    seconds: Annotated[float, typer.Option(help="How long to listen.")] = 12.0,
    market: Annotated[list[str] | None, typer.Option(help="A market to listen to; once for each.")] = None,
    as_json: Json = False,
) -> None:
    """Listen to the exchange's stream and say what came: messages, gaps, ages, channels. Only looks."""
    from fairstrike.app import diagnosis_printing
    from fairstrike.app import smoke as listening

    wanted = listening.wanted(env, box, config_file, seconds, tuple(market or ()))
    with diagnosis_printing.listening(wanted, is_shown=not as_json) as on_second:
        report = listening.run(wanted, on_second)
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        diagnosis_printing.smoked(report)
    raise typer.Exit(report.exit_code)


@app.command()
def markets(
    env: Env = None,
    box: Box = None,
    config_file: Config = None,
    series: Annotated[list[str] | None, typer.Option(help="A series; once for each (all known).")] = None,
    timeframe: Annotated[list[Timeframe] | None, typer.Option(help="A timeframe; once for each (all).")] = None,
    events: Annotated[int, typer.Option(help="Soonest events of each series; 0 for all.")] = 3,
    event: Annotated[str | None, typer.Option(help="One event, with all its markets.")] = None,
    as_json: Json = False,
) -> None:
    """List events, soonest first, with strikes and price grids, and what is not understood. Needs no key."""
    from fairstrike.app import markets as listing
    from fairstrike.app import markets_printing, printing

    said = listing.Choices(
        env=env,
        box=box,
        config_file=config_file,
        series=tuple(series or ()),
        timeframes=tuple(timeframe or ()),
        events=events,
        event=event,
    )
    asked = listing.wanted(said)
    with printing.progress("reading markets", len(asked.series), is_shown=not as_json) as advance:
        listed = listing.run(asked, advance)
    if as_json:
        print(msgspec.json.encode(listed.report).decode())
    else:
        markets_printing.catalogue(listed, with_strikes=event is not None)


for command in recording_commands.COMMANDS:
    app.command()(command)


@app.command()
def model(
    file: Annotated[Path, typer.Argument(help="A learned model as JSON.")],
    as_json: Json = False,
) -> None:
    """Check the file of a learned model and say what it is."""
    from fairstrike.app import modelling

    found = modelling.told(modelling.load(file))
    print(msgspec.json.encode(found).decode() if as_json else modelling.line(file, found))


@app.command()
def exchange(
    as_json: Json = False,
    seed: Annotated[int, typer.Option(help="Decides prices, liquidity and gifts.")] = 1,
    speed: Annotated[int, typer.Option(help="Venue seconds a second.")] = 1,
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="Let --host be open to other machines.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the accounts' private keys go.")] = Path("runs/exchange"),
    clock_skew_ms: Annotated[int, typer.Option(help="How far the wall clock it shows is off, to rehearse that.")] = 0,
    account: Annotated[
        list[str] | None, typer.Option(help="NAME=DOLLARS or NAME=DOLLARS,ed25519; once for each.")
    ] = None,
    switch: Annotated[list[str] | None, typer.Option(help="A switch of the protocol: NAME=VALUE.")] = None,
    stepped: Annotated[bool, typer.Option("--stepped", help="Time moves only by POST /admin/step.")] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Venue time is this machine's; with --liquidity calibrated.")
    ] = False,
    scenario: Annotated[Path | None, typer.Option(help="Faults to make happen: a TOML file.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help="A fault: kind=NAME,name=value,...")] = None,
    liquidity: Annotated[
        Liquidity | None,
        typer.Option(help="demo (default): one hour with gifts; calibrated: endless 15-minute markets, lifelike."),
    ] = None,
    replay: Annotated[Path | None, typer.Option(help="Trade within this capture of 15-minute markets.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write the 15-minute markets' stream to this new file.")] = None,
) -> None:
    """Run an exchange in a box: Kalshi's protocol on this machine, with generated or recorded markets."""
    from fairstrike.app import rehearsing
    from fairstrike.exchange.server import ServerSettings, run_exchange
    from fairstrike.exchange.switches import parse_switches

    world, start_ns = rehearsing.stage(liquidity, replay)
    switches = parse_switches(switch or ())
    settings = ServerSettings(
        folder=folder,
        seed=seed,
        port=port,
        host=host,
        is_remote_allowed=allow_remote,
        factor=speed,
        start_ns=start_ns,
        is_now=now,
        is_stepped=stepped,
        faults=rehearsing.faults(scenario, fault or ()),
        accounts=rehearsing.accounts(account or ()),
        is_json=as_json,
        clock_skew_ms=clock_skew_ms,
        record=record,
        world=msgspec.structs.replace(world, floor=switches.floor),
        box=switches.box,
    )
    rehearsing.keep_keys(folder)
    raise typer.Exit(run_exchange(settings))


@app.command()
def trade(
    mode: Annotated[str | None, typer.Option(help="observe, paper or live; else what .env says, else observe.")] = None,
    env: Annotated[str | None, typer.Option(help="prod, demo or box; else what .env says, else prod.")] = None,
    box: Annotated[Path | None, typer.Option(help="File with the first line of `fairstrike exchange --json`.")] = None,
    config_file: Config = None,
    folder: Annotated[Path | None, typer.Option(help="Run folder (default: a new one under runs/).")] = None,
    with_key: Annotated[bool, typer.Option("--key/--no-key", help="Use the key, if one is named.")] = True,
) -> None:
    """Start the trader. Without options it observes: it looks and sends nothing. It trades only against a box."""
    from fairstrike.app import dotenv, trading

    chosen = dotenv.chosen(mode, env)
    wanted = trading.Wanted(
        mode=chosen.execution,
        environment=chosen.environment,
        box=box,
        config_file=config_file,
        folder=folder,
        with_key=with_key,
    )
    place = trading.prepare(wanted)
    print("\n".join(filter(None, (f"run folder {place}", trading.opening_words(place)))), flush=True)
    trading.become_trader(place)


@app.command()
def observe(
    env: Env = None,
    box: Box = None,
    config_file: Config = None,
    folder: Annotated[Path | None, typer.Option(help="A folder for the run (default: a new one under runs/).")] = None,
    with_key: Annotated[bool, typer.Option("--key/--no-key", help="Use the key, if one is named.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a second and nothing else.")] = False,
) -> None:
    """Watch books and fair values of the nearest events. Only looks; Ctrl-C ends it."""
    from fairstrike.app import dotenv, observing, observing_printing, trading

    wanted = trading.Wanted(
        mode="observe",
        environment=dotenv.chosen("observe", env).environment,
        box=box,
        config_file=config_file,
        folder=folder,
        with_key=with_key,
    )
    with observing_printing.shown(as_json=as_json) as show:
        observing.observe(wanted, show.draw, show.every_s)


@app.command()
def desk(
    folder: Annotated[Path, typer.Argument(help="The trader's run folder.")],
    stay: Annotated[bool, typer.Option(help="Keep following after the run has ended.")] = False,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Another database than the folder's trader.db; else DATABASE_URL. Or: own."),
    ] = None,
) -> None:
    """Follow a trader's journal into its database and show the run. May be stopped and started at any time."""
    from fairstrike.app.desk.follow import Pace, run_desk, wanted_database
    from fairstrike.app.desk.terminal import run_terminal
    from fairstrike.store.database import described

    url = wanted_database(database)
    print(f"following {folder} into {described(url) if url else 'its database'}; stop with Ctrl-C", flush=True)
    if sys.stdout.isatty():
        raise typer.Exit(run_terminal(folder, Pace(stay=stay), url))
    raise typer.Exit(run_desk(folder, stay=stay, url=url))


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Decides prices, liquidity and gifts.")] = 1,
    speed: Annotated[int, typer.Option(help="Venue seconds a second.")] = 20,
    folder: Annotated[Path | None, typer.Option(help="A new folder for everything (default: under runs/).")] = None,
    limit: Annotated[float, typer.Option(help="Most seconds it may take.")] = 150.0,
    as_json: Json = False,
) -> None:
    """Trade the last minutes of an hour against an exchange in a box, in about a minute, and check the money."""
    from fairstrike.app import demo as playing
    from fairstrike.app import printing

    play = playing.Demo(playing.Wanted(seed=seed, speed=speed, folder=folder, limit_seconds=limit))
    try:
        with printing.demo_progress(is_shown=not as_json) as on_look:
            check = play.run(on_look)
    except KeyboardInterrupt:
        print(
            f"interrupted; the trader was told to stop, its last words are in {play.folder / 'trader.log'}",
            file=sys.stderr,
        )
        raise
    if as_json:
        print(msgspec.json.encode(play.result(check)).decode())
    else:
        printing.demo_summary(play)
    line = playing.verdict(check)
    if not as_json:
        print(line)


def main() -> NoReturn:
    """Run the command line; every failure of the world is one sentence and a documented exit code."""
    sys.excepthook = crash.last_words
    os.umask(0o077)
    crash.make_printable(sys.stdout, sys.stderr)
    try:
        if not __debug__:
            raise UsageError("Python runs with assertions off; start without -O and without PYTHONOPTIMIZE")
        end_with_parent()
        # Not `app()`: it would put its own hook, which prints traces, in place of ours.
        code = get_command(app).main(sys.argv[1:] or ["--help"], prog_name="fairstrike", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except FairstrikeError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", crash.EXIT_INTERRUPTED)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            # The library has ended us without a word.
            _fail("the output cannot be written (Broken pipe); whoever read it has closed it", 1)
        raise
    except typer.TyperException as error:
        _fail(_usage(error), UsageError.exit_code)
    except OSError as error:
        if error.filename is None:
            if error.errno not in crash.LOST:
                raise
            crash.drop_lost(sys.stdout)
            _fail(f"the output cannot be written ({error.strerror}); make room for it, then start again", 1)
        _fail(f"{error.filename} cannot be used ({error.strerror}); check path and permissions", UsageError.exit_code)
    if code == crash.EXIT_INTERRUPTED:
        # The library has made a code of Ctrl-C.
        _fail("interrupted", code)
    sys.exit(code)


def _fail(sentence: str, code: int) -> NoReturn:
    print(f"fairstrike: {sentence}", file=sys.stderr)
    sys.exit(code)


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = "fairstrike" if context is None else context.command_path
    return f"{error.format_message().rstrip('.')}; see `{command} --help`"
