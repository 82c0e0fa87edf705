"""The world that is open, its box and the accounts in it: what begins anew at a reset; pure."""

from collections.abc import Iterator, Sequence

import msgspec

from fairstrike.core.errors import ConfigError
from fairstrike.exchange.administration import AccountSettings
from fairstrike.exchange.box import Box, BoxParams
from fairstrike.exchange.calibrated import CalibratedParams, CalibratedWorld
from fairstrike.exchange.faults import Fault
from fairstrike.exchange.recording import Recorder
from fairstrike.exchange.replayed import ReplayedParams, ReplayedWorld
from fairstrike.exchange.verification import Keyring
from fairstrike.exchange.worlds import World, WorldParams


class House:
    """A box that can begin anew: accounts keep their keys and get their first balance back, faults come again."""

    box: Box
    seed: int

    def __init__(
        self,
        *,
        seed: int,
        start_ns: int,
        world: WorldParams | CalibratedParams | ReplayedParams,
        box: BoxParams,
        faults: Sequence[Fault],
    ) -> None:
        """Open the world that the params of `world` say, at venue instant `start_ns`.

        Raises `ConfigError` for faults of markets that the world does not have.
        """
        self._world_params = world
        self._box_params = box
        self._faults = tuple(faults)
        self._keyring = Keyring()
        self._accounts: dict[str, tuple[AccountSettings, str]] = {}
        self.begin(seed, start_ns)

    def begin(self, seed: int, start_ns: int) -> None:
        """Begin the world of `seed` at venue instant `start_ns`; nothing of an earlier one stays."""
        self.seed = seed
        self._world = self._new_world(seed, start_ns)
        for account, key_id in self._accounts.values():
            self._world.floor.open_account(account.name, key_id=key_id, balance_ud=account.balance_ud)
        self.box = Box(self._world, self._keyring, msgspec.structs.replace(self._box_params, fault_seed=seed))
        self._recorder: Recorder = self.box.recorder()
        for number, fault in enumerate(self._faults, start=1):
            try:
                self.box.add_fault(fault, start_ns)
            except ConfigError as why:
                raise ConfigError(f"fault {number} of the start ({fault.__struct_config__.tag}): {why}") from None

    def is_taken(self, name: str) -> bool:
        """Whether an account has this name, one of the world's own included."""
        return self._world.floor.account(name) is not None

    def admit(self, account: AccountSettings, key_id: str, public_pem: bytes) -> None:
        """Open an account of a new name for whoever signs with the private half of `public_pem`."""
        self._keyring.add(key_id, account.name, public_pem)
        self._world.floor.open_account(account.name, key_id=key_id, balance_ud=account.balance_ud)
        self._accounts[account.name] = (account, key_id)

    def live(self, now_ns: int) -> Iterator[bytes]:
        """Let the world come to `now_ns`; give what its 15-minute markets did as lines of a capture, made when read."""
        self.box.advance(now_ns)
        return self._recorder.lines(now_ns)

    def state(self, now_ns: int) -> dict[str, object]:
        """Give what the administration shows of the world as it is at `now_ns`."""
        self.box.advance(now_ns)
        floor = self._world.floor
        return {
            "seed": self.seed,
            "now_ns": now_ns,
            "start_ns": self._world.start_ns,
            "close_ns": self._world.close_ns,
            "plants": self._world.plants,
            "total_ud": floor.total_ud(),
            "markets": {view.contract.ticker: view.status.value for view in floor.markets()},
            "accounts": [floor.account(name) for name in self._accounts],
            "struck": self.box.struck(),
        }

    def _new_world(self, seed: int, start_ns: int) -> World | CalibratedWorld | ReplayedWorld:
        params = self._world_params
        if isinstance(params, ReplayedParams):
            return ReplayedWorld(params)
        if isinstance(params, CalibratedParams):
            return CalibratedWorld(seed=seed, start_ns=start_ns, params=params)
        return World(seed=seed, start_ns=start_ns, params=params)
