"""Lay the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _sortable() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make every table, and the counter that numbers all changes."""
    _counters()
    _stores()
    _claims()
    _revisions()
    _timeline()
    _people()
    _idempotency_keys()
    _audit()


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO counters (name, value) VALUES ('seq', 0)")


def _stores() -> None:
    op.create_table(
        "stores",
        sa.Column("id", _sortable(), primary_key=True),
        sa.Column("uid", sa.Text, nullable=False, unique=True),
        sa.Column("owner", _sortable(), nullable=False),
        sa.Column("name_key", _sortable(), nullable=False),
        sa.Column("search", _sortable(), nullable=False),
        sa.Column("domain", sa.Text, unique=True),
        sa.Column("ready_domain", sa.Text),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("phase", _sortable(), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.Column("progress_done", sa.BigInteger, nullable=False),
        sa.Column("progress_total", sa.BigInteger, nullable=False),
        sa.Column("observed_generation", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("ready_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("deleting_since", sa.BigInteger),
        sa.Column("changed_seq", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_stores_ready_domain", "stores", ["ready_domain"])
    op.create_index("ix_stores_changed_seq", "stores", ["changed_seq"])
    op.create_index("ix_stores_owner_created_at", "stores", ["owner", "created_at", "id"])
    op.create_index("ix_stores_created_at", "stores", ["created_at", "id"])


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column(
            "store_id", sa.Text, sa.ForeignKey("stores.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("store_uid", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("until", sa.BigInteger),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger),
        sa.Column("wakes", sa.BigInteger, nullable=False),
        sa.Column("taken_wakes", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_claims_due", "claims", ["due"])


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column(
            "store_id", sa.Text, sa.ForeignKey("stores.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("template_digest", sa.Text, nullable=False),
        sa.Column("inventory", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("applied_at", sa.BigInteger),
        sa.Column("ready_at", sa.BigInteger),
        sa.Column("elapsed", sa.Float(53), nullable=False),
        sa.Column("ticked_at", sa.BigInteger),
        sa.Column("evidence", sa.Text),
        sa.PrimaryKeyConstraint("store_id", "number"),
    )


def _timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("store_id", sa.Text, nullable=False),
        sa.Column("store_uid", sa.Text, nullable=False),
        sa.Column("owner", _sortable(), nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("object", sa.Text),
        sa.Column("deleted", sa.Boolean(create_constraint=False), nullable=False),
    )
    op.create_index("ix_timeline_store_uid", "timeline", ["store_uid", "seq"])


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("name", _sortable(), primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", _sortable(), primary_key=True),
        sa.Column(
            "user", _sortable(), sa.ForeignKey("users.name", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("body_digest", sa.Text, nullable=False),
        sa.Column("store_id", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user", "key"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("token_id", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
    )
