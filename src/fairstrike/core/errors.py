"""Every exception of the house, in one tree.

FairstrikeError                      exit code
├── UsageError                       2   the command, a setting or a file named by the user is wrong
│   ├── ConfigError                      a configuration key or value is not accepted
│   ├── CredentialError                  the API key is missing, malformed or readable by others
│   ├── RecordingError                   a recording is not in a format that can be read
│   ├── DatabaseDamaged                  a desk's database is damaged or was made by another program version
│   └── ArithmeticRefusal                a number is outside the domain of a formula
├── VenueError                       3   the venue, or the way to it, did not do what was asked
│   ├── Unreachable                      no connection could be made
│   ├── Refused                          the venue answered with an error
│   └── ProtocolError                    an answer or frame does not follow the protocol
├── ClockError                       4   the machine's clock cannot be trusted
├── JournalError                     5   a journal is damaged or was written by another program version
│   └── Diverged                         a replay did not reproduce its journal
├── LockedError                      6   another trader already runs on this account or in this folder
│   └── DatabaseAway                     a desk's database server is down, unreachable or busy
├── LedgerError                      7   our ledger and the exchange's balance differ
└── DiskError                       10   the disk takes no more, or soon will not: trading or a recording ended

A room may refine a leaf beside the code that raises it; the exit code stays its parent's, 1 straight under the root.

Exit codes without an exception of this tree:

  0   done, stopped in good order, or stopped by a signal before anything was sent
  8   the trader failed by its own fault: the trace is in a file, and if it had begun to trade, everything was
      cancelled by the venue's cancel-all; its last line tells whether that is proved
  9   the trader stopped, but that nothing rests could not be proved: look at the venue
 70   a command failed by its own fault; the trace is in a file
130   interrupted, by Ctrl-C or a signal to end

Each docstring ends with the cure; each message says what to do next.
"""


class FairstrikeError(Exception):
    """Anything that went wrong in the world. Cure: read the message, it names the next step."""

    exit_code = 1


class UsageError(FairstrikeError):
    """The user asked for something that cannot be done. Cure: correct the command or file named."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration key or value is not accepted. Cure: correct the key that the message names."""


class CredentialError(UsageError):
    """The API key cannot be used. Cure: fix the key file that the message names (mode 0600, PEM)."""


class RecordingError(UsageError):
    """A recording cannot be read. Cure: give a file in a supported format, or a complete copy."""


class DatabaseDamaged(UsageError):
    """A database cannot be used. Cure: name an empty one; it is filled from the journal."""


class ArithmeticRefusal(UsageError, ValueError):
    """A number is outside a formula's domain. Cure: pass a number inside the documented domain."""


class VenueError(FairstrikeError):
    """The venue did not do what was asked. Cure: see the message; reads may be tried again."""

    exit_code = 3


class Unreachable(VenueError):
    """No connection could be made. Cure: check the address and the network, then start again."""


class Refused(VenueError):
    """The venue answered with an error. Cure: act on the code and text in the message."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        """Keep the HTTP status and the venue's error code beside the sentence."""
        super().__init__(message)
        self.status = status
        self.code = code


class ProtocolError(VenueError):
    """An answer or frame does not follow the protocol. Cure: update the program, or report the frame."""


class ClockError(FairstrikeError):
    """The clock is too far off. Cure: synchronise the machine's clock (NTP), then start again."""

    exit_code = 4


class JournalError(FairstrikeError):
    """A journal is damaged or foreign. Cure: use the last good point that the message names."""

    exit_code = 5


class Diverged(JournalError):
    """A replay made other decisions. Cure: use the program version that wrote the journal."""


class LockedError(FairstrikeError):
    """Another trader holds the lock. Cure: stop it first, or use another run folder."""

    exit_code = 6


class DatabaseAway(LockedError):
    """A database server does not answer, or cannot now. Cure: see to the server; what was missed is written then."""


class LedgerError(FairstrikeError):
    """Ledger and venue differ. Cure: stop trading and compare fills, fees and settlements by id."""

    exit_code = 7


class DiskError(FairstrikeError):
    """The disk takes no more, or soon will not. Cure: make room, then start again."""

    exit_code = 10
