"""What spot venues told besides prices: quarter-hour candles and perpetuals' funding."""

import sqlalchemy as sa
from alembic import op

from fairstrike.store.migrations.versions.v0001_first_tables import text, whole

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make `spot_candles` and `spot_fundings`, indexed by time."""
    op.create_table(
        "spot_candles",
        *text("source", "asset"),
        *whole("start_ns", "open_e8", "high_e8", "low_e8", "close_e8", "volume_e8", "venue_ns", "told_ns"),
        sa.PrimaryKeyConstraint("source", "asset", "start_ns"),
    )
    op.create_table(
        "spot_fundings",
        *text("source", "asset"),
        *whole("told_ns", "rate_e8", "mark_e8", "next_ns", "venue_ns"),
        sa.PrimaryKeyConstraint("source", "asset", "told_ns"),
    )
    op.create_index("spot_candles_by_time", "spot_candles", ["start_ns"])
    op.create_index("spot_fundings_by_time", "spot_fundings", ["told_ns"])


def downgrade() -> None:
    """Drop both."""
    op.drop_table("spot_candles")
    op.drop_table("spot_fundings")
