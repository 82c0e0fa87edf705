"""What an exchange in a box is started with: its accounts, and the faults of a scenario file and the command line."""

from collections.abc import Sequence
from pathlib import Path

from fairstrike.core.errors import ConfigError, UsageError
from fairstrike.exchange.administration import AccountSettings, parse_account
from fairstrike.exchange.faults import Fault, parse_fault, parse_scenario


def accounts(texts: Sequence[str]) -> tuple[AccountSettings, ...]:
    """Give the accounts written as NAME=DOLLARS; without any the one called client.

    Raises `ConfigError` for what is no account.
    """
    return tuple(parse_account(text) for text in texts) or (AccountSettings(),)


def faults(scenario: Path | None, texts: Sequence[str]) -> tuple[Fault, ...]:
    """Give the faults of a scenario file and those written as kind=NAME,name=value, in this order.

    Raises `UsageError` for a file that cannot be read, `ConfigError` for what is no fault.
    """
    return (*(_of_file(scenario) if scenario is not None else ()), *(parse_fault(text) for text in texts))


def _of_file(path: Path) -> tuple[Fault, ...]:
    try:
        return parse_scenario(path.read_text(encoding="utf-8"))
    except OSError as why:
        raise UsageError(f"{path} cannot be read ({why.strerror}); name a scenario file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text; name a scenario file") from None
    except ConfigError as why:
        raise ConfigError(f"{path}: {why}") from None
