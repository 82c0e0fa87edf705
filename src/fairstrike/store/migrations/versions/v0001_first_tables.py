"""The first tables: runs, orders, fills, settlements, positions, signals, and the place reached in the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INDEXED = {
    "orders": "created_ns",
    "fills": "booked_ns",
    "settlements": "settled_ns",
    "positions": "updated_ns",
    "signals": "signalled_ns",
}


def upgrade() -> None:
    """Make the tables and their indexes on time and ticker."""
    make_runs_and_progress()
    make_orders()
    make_fills()
    make_settlements_and_positions()
    make_signals()
    for table, instant in INDEXED.items():
        op.create_index(f"{table}_by_time", table, [instant])
        op.create_index(f"{table}_by_ticker", table, ["ticker"])


def downgrade() -> None:
    """Drop everything."""
    for table in (*INDEXED, "runs", "progress"):
        op.drop_table(table)


def whole(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    """Columns of whole numbers."""
    return [sa.Column(name, sa.BigInteger, nullable=nullable) for name in names]


def text(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    """Columns of text."""
    return [sa.Column(name, sa.Text, nullable=nullable) for name in names]


def flag(*names: str, nullable: bool = False) -> list[sa.Column[bool]]:
    """Columns of yes or no."""
    return [sa.Column(name, sa.Boolean, nullable=nullable) for name in names]


def make_runs_and_progress() -> None:
    """Make `runs` and `progress`."""
    op.create_table(
        "runs",
        *whole("n"),
        *text("program", "execution", "environment"),
        *whole("account_tag", "run_ns", "started_ns"),
        *text("seed", "settings", "settings_digest"),
        *whole("cash_start_ud", "ended_n", "ended_ns", "cash_end_ud", "fees_ud", "resting", nullable=True),
        *text("reason", nullable=True),
        sa.PrimaryKeyConstraint("n"),
    )
    op.create_table("progress", *text("chain"), *whole("n"), *text("digest"), sa.PrimaryKeyConstraint("chain"))


def make_orders() -> None:
    """Make `orders`."""
    op.create_table(
        "orders",
        *text("client_order_id"),
        *whole("run_n", nullable=True),
        *text("order_id", "strategy", "ticker", "side", "intent", "tif", "state", nullable=True),
        *whole("price_ticks", "size_cc", "filled_cc", nullable=True),
        *flag("post_only", "reduce_only", nullable=True),
        *whole("created_ns", "sent_ns", "updated_ns", nullable=True),
        sa.PrimaryKeyConstraint("client_order_id"),
    )


def make_fills() -> None:
    """Make `fills`."""
    op.create_table(
        "fills",
        *text("trade_id", "order_id"),
        *whole("run_n", "n"),
        *text("client_order_id", "strategy", "ticker", "side"),
        *whole("price_ticks", "size_cc", "fee_ud", "cash_ud", "net_cc", "booked_ns", "recv_ns"),
        *whole("venue_ns", nullable=True),
        *flag("is_taker"),
        sa.PrimaryKeyConstraint("trade_id", "order_id"),
    )


def make_settlements_and_positions() -> None:
    """Make `settlements` and `positions`."""
    op.create_table(
        "settlements",
        *whole("run_n"),
        *text("ticker"),
        *whole("n", "value_ticks", "net_cc", "payout_ud", "pnl_ud", "cash_ud", "settled_ns"),
        *flag("is_derived"),
        sa.PrimaryKeyConstraint("run_n", "ticker"),
    )
    op.create_table(
        "positions",
        *whole("run_n"),
        *text("ticker"),
        *whole("net_cc", "cost_ud", "updated_ns"),
        *whole("realised_ud", "settled_pnl_ud", nullable=True),
        sa.PrimaryKeyConstraint("run_n", "ticker"),
    )


def make_signals() -> None:
    """Make `signals`."""
    op.create_table(
        "signals",
        *whole("n", "run_n", "signalled_ns"),
        *text("verdict", "strategy", "ticker", "side", "intent", "tif", "reason", "features"),
        *whole("price_ticks", "size_cc", "edge_ppm", "confidence_ppm"),
        *flag("post_only"),
        *whole("expire_ns", nullable=True),
        *text("client_order_id", "rule", nullable=True),
        *whole("rule_value", "rule_limit", nullable=True),
        sa.PrimaryKeyConstraint("n"),
    )
