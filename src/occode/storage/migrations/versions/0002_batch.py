"""Operations and their chunks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "operations",
        *(sa.Column(name, sa.String(200), nullable=False) for name in ("operation_id", "client_id", "topic", "model_id")),
        *(sa.Column(name, sa.String(20), nullable=False) for name in ("state", "stage")),
        *(sa.Column(name, _MOMENT, nullable=False) for name in ("created", "upload_until")),
        *(sa.Column(name, _MOMENT) for name in ("received", "coding_since", "finished")),
        sa.Column("error", sa.Text),
        sa.Column("records_total", sa.BigInteger, nullable=False),
        sa.Column("about", sa.JSON, nullable=False),
        sa.Column("worker", sa.String(200)),
        *(sa.Column(name, _MOMENT) for name in ("lease_until", "not_before")),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("operation_id", name="pk_operations"),
    )
    op.create_index("ix_operations_state_stage", "operations", ["state", "stage"])
    op.create_index("ix_operations_client_id", "operations", ["client_id"])
    op.create_table(
        "chunks",
        sa.Column("operation_id", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("first", "last", "first_line", "lines")),
        sa.Column("result", sa.JSON),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("worker", sa.String(200)),
        *(sa.Column(name, _MOMENT) for name in ("lease_until", "not_before")),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("operation_id", "number", name="pk_chunks"),
        sa.ForeignKeyConstraint(["operation_id"], ["operations.operation_id"], name="fk_chunks_operation_id", ondelete="CASCADE"),
    )
    op.create_index("ix_chunks_done", "chunks", ["done"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("chunks")
    op.drop_table("operations")
