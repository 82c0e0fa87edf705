"""How an observation is shown: as JSON without a terminal, else as a table on the second screen."""

from io import StringIO

import pytest
from rich.console import Console

from fairstrike.app.observing_printing import shown
from fairstrike.core.errors import UsageError


def console(*, is_terminal: bool) -> Console:
    return Console(file=StringIO(), force_terminal=is_terminal, width=80, height=24)


def test_json_needs_no_terminal() -> None:
    with shown(as_json=True, console=console(is_terminal=False)) as show:
        assert show.every_s == 1.0


def test_the_table_takes_the_second_screen_and_gives_it_back() -> None:
    made = console(is_terminal=True)
    with shown(as_json=False, console=made) as show:
        assert show.every_s < 1.0
    assert isinstance(made.file, StringIO)
    assert made.file.getvalue().index("\x1b[?1049h") < made.file.getvalue().index("\x1b[?1049l")


def test_without_a_terminal_there_is_no_table() -> None:
    with (
        pytest.raises(UsageError, match="the live table needs a terminal"),
        shown(as_json=False, console=console(is_terminal=False)),
    ):
        raise AssertionError("nothing is shown")
