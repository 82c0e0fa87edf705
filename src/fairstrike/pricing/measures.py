"""What one source's prints say: volatility in the way that was chosen, that of the last minute, and the regime."""

from collections.abc import Mapping

from fairstrike.pricing.digital import VOL_MAX
from fairstrike.pricing.diurnal import VarianceClock
from fairstrike.pricing.last_minute import Params as LastMinuteParams
from fairstrike.pricing.last_minute import last_minute_vol
from fairstrike.pricing.regimes import Params as RegimeParams
from fairstrike.pricing.regimes import RegimeMeter
from fairstrike.pricing.volatility import Ewma, realised_vol
from fairstrike.pricing.volatility import Params as VolatilityParams


class Measures:
    """One source's measures. What takes a walk over half an hour of prints is made when asked for, once a print."""

    __slots__ = ("_clock", "_ending", "_ewma", "_prints", "_realised", "_second", "_volatility", "regime")

    def __init__(
        self,
        prints: Mapping[int, int],
        volatility: VolatilityParams,
        regimes: tuple[RegimeParams, float | None],
        clock: VarianceClock | None,
        *,
        is_realised: bool,
    ) -> None:
        """Take the source's prints, which go on growing, and how they are measured.

        `regimes` are the parameters and the asset's usual volatility; `is_realised` asks for the realised volatility
        of half an hour instead of the weighted one; both are by `clock`, where there is one.
        """
        self._prints = prints
        self._volatility = volatility
        self._clock = clock
        self._second = -1
        self._ewma = None if is_realised else Ewma(volatility, clock)
        self._realised: tuple[int, float | None] = (-1, None)
        self._ending: tuple[int, int, float | None] = (-1, 0, None)
        self.regime = RegimeMeter(*regimes)

    def update(self, second: int) -> None:
        """Take the print of `second`, which is among the prints."""
        value_e8 = self._prints[second]
        if self._ewma is not None:
            self._ewma.update(second, value_e8)
        self.regime.update(second, value_e8)
        self._second = max(self._second, second)

    def vol_annual(self) -> float | None:
        """Give the volatility as of the last print, a fraction a year.

        None while there are too few returns, and beyond `VOL_MAX`: a print was broken, and no price may rest on it.
        """
        if self._ewma is not None:
            vol = self._ewma.vol_annual()
        else:
            if self._realised[0] != self._second:
                found = realised_vol(self._prints, self._second, self._volatility, self._clock)
                self._realised = (self._second, found)
            vol = self._realised[1]
        return vol if vol is None or vol <= VOL_MAX else None

    def ending_vol(self, left: int, params: LastMinuteParams) -> float | None:
        """Give the last minute's own volatility with `left` prints to come, None as `vol_annual`."""
        if self._ending[:2] != (self._second, left):
            found = last_minute_vol(self._prints, self._second, left, params)
            self._ending = (self._second, left, found)
        vol = self._ending[2]
        return vol if vol is None or vol <= VOL_MAX else None
