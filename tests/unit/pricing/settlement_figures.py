"""The groups of reference figures that concern the settlement mean, as types."""

import msgspec


class AverageCase(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    strike: float = msgspec.field(name="K")
    vol: float = msgspec.field(name="sigma")
    first_s: float = msgspec.field(name="a_s")
    p: float = msgspec.field(name="p_lognormal_mm")
    simulated: float = msgspec.field(name="mc_p")
    simulated_se: float = msgspec.field(name="mc_se")
    left: int = msgspec.field(name="n_remaining", default=60)
    seen_mean: float = msgspec.field(name="observed_mean", default=0.0)
    effective_threshold: float | None = None
    slope: float = msgspec.field(name="delta_dP_dS", default=0.0)
    sd: float = msgspec.field(name="sd_abs", default=0.0)


class RangeCase(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    lower: float
    upper: float
    vol: float = msgspec.field(name="sigma")
    first_s: float = msgspec.field(name="a_s")
    left: int = msgspec.field(name="n_remaining")
    seen_sum: float = msgspec.field(name="sum_observed")
    p: float = msgspec.field(name="p_lognormal_mm")


class ClaimedCase(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    strike: float = msgspec.field(name="K")
    vol: float = msgspec.field(name="sigma")
    seconds: float = msgspec.field(name="T_s")
    p: float = msgspec.field(name="p_avg_gbm")


class MultiplierRow(msgspec.Struct, frozen=True):
    exact: float
    first_s: float = msgspec.field(name="a_s", default=1.0)
    left: int = msgspec.field(name="n_remaining", default=60)


class MultiplierTable(msgspec.Struct, frozen=True):
    before_window: list[MultiplierRow]
    inside_window_a1: list[MultiplierRow]


class PointErrorRow(msgspec.Struct, frozen=True):
    seconds: float = msgspec.field(name="tau_s", default=0.0)
    error: float = msgspec.field(name="max_abs_error_probability", default=0.0)
    overstated_pct: float = msgspec.field(name="vol_overstatement_pct", default=0.0)
    left: int = msgspec.field(name="n_remaining", default=60)
    ratio: float = msgspec.field(name="vol_ratio_point_over_average", default=0.0)


class ScaleRow(msgspec.Struct, frozen=True):
    spot: float = msgspec.field(name="S")
    vol: float = msgspec.field(name="sigma")
    per_root_second: float = msgspec.field(name="usd_per_sqrt_second")
    hour: float = msgspec.field(name="sd_hour_settlement")
    last_minute: float = msgspec.field(name="sd_last_minute_average_from_window_start")
    with_30_left: float = msgspec.field(name="sd_with_30_left")
    with_10_left: float = msgspec.field(name="sd_with_10_left")


class Vectors(msgspec.Struct, frozen=True):
    average_before_window: list[AverageCase]
    average_inside_window: list[AverageCase]
    range: list[RangeCase]
    updown_after_open: list[AverageCase]
    claimed_test_list_check: list[ClaimedCase]
    variance_multiplier_table: MultiplierTable
    point_sample_error: list[PointErrorRow]
    scale_table: list[ScaleRow]
