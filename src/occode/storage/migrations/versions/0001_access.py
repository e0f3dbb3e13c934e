"""Clients, usage, signing keys, limits."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "clients",
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("tier", sa.String(20), nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("terms_version", sa.String(50), nullable=False),
        sa.Column("terms_accepted", moment, nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("per_second", sa.Integer),
        sa.Column("per_hour", sa.Integer),
        sa.Column("last_used", moment),
        sa.PrimaryKeyConstraint("client_id", name="pk_clients"),
    )
    op.create_table(
        "usage",
        sa.Column("client_id", sa.String(200), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("requests", "records", "coded", "refused")),
        sa.PrimaryKeyConstraint("client_id", "day", name="pk_usage"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.client_id"], name="fk_usage_client_id", ondelete="CASCADE"),
    )
    op.create_table(
        "signing_keys",
        sa.Column("key_id", sa.String(200), nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("honoured_until", moment),
        sa.PrimaryKeyConstraint("key_id", name="pk_signing_keys"),
    )
    op.create_table(
        "limit_hits",
        sa.Column("hit_id", sa.Integer, nullable=False),
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("hit_id", name="pk_limit_hits"),
    )
    op.create_index("ix_limit_hits_key_at", "limit_hits", ["key", "at"])
    op.create_table(
        "limit_keys",
        sa.Column("key", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_limit_keys"),
    )


def downgrade() -> None:
    """Go back."""
    for table in ("limit_keys", "limit_hits", "signing_keys", "usage", "clients"):
        op.drop_table(table)
