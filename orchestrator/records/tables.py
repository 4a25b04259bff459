"""The tables, as SQLAlchemy Core sees them; migrations/ makes them (a test compares the two).

Conventions: moments are microseconds since 1970 in UTC (they order alike in both dialects); JSON is
ASCII text (PostgreSQL's jsonb refuses the NUL that a container may print); text that is sorted by
compares by code point in both dialects, so that a page means the same on either.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

metadata: Final = MetaData()


def sortable() -> TypeEngine[str]:
    """Text that compares by code point (SQLite's way) in PostgreSQL too."""
    return Text().with_variant(Text(collation="C"), "postgresql")


counters: Final = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

stores: Final = Table(
    "stores",
    metadata,
    Column("id", sortable(), primary_key=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("owner", sortable(), nullable=False),
    # What lists sort and search by, normalised (cursors.folded).
    Column("name_key", sortable(), nullable=False),
    Column("search", sortable(), nullable=False),
    Column("domain", Text, unique=True),
    # The domain of the last Ready revision: a change that fails goes back to it.
    Column("ready_domain", Text, index=True),
    Column("spec", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("phase", sortable(), nullable=False),
    Column("message", Text, nullable=False),
    Column("conditions", Text, nullable=False),
    Column("progress_done", BigInteger, nullable=False),
    Column("progress_total", BigInteger, nullable=False),
    Column("observed_generation", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("ready_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleting_since", BigInteger),
    Column("changed_seq", BigInteger, nullable=False, index=True),
    Index("ix_stores_owner_created_at", "owner", "created_at", "id"),
    Index("ix_stores_created_at", "created_at", "id"),
)

claims: Final = Table(
    "claims",
    metadata,
    Column("store_id", Text, ForeignKey("stores.id", ondelete="CASCADE"), primary_key=True),
    Column("store_uid", Text, nullable=False),
    Column("owner", Text),
    Column("until", BigInteger),
    Column("fence", BigInteger, nullable=False),
    # Null: only a wake makes it due.
    Column("due", BigInteger, index=True),
    # A wake during a claim raises `wakes` above `taken_wakes`; the release sees it.
    Column("wakes", BigInteger, nullable=False),
    Column("taken_wakes", BigInteger, nullable=False),
)

revisions: Final = Table(
    "revisions",
    metadata,
    Column("store_id", Text, ForeignKey("stores.id", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("template_digest", Text, nullable=False),
    Column("inventory", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("applied_at", BigInteger),
    Column("ready_at", BigInteger),
    Column("elapsed", Float(53), nullable=False),
    Column("ticked_at", BigInteger),
    Column("evidence", Text),
    PrimaryKeyConstraint("store_id", "number"),
)

# Rows outlive their store: a client that was away learns what happened, and of the end.
timeline: Final = Table(
    "timeline",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("store_id", Text, nullable=False),
    Column("store_uid", Text, nullable=False),
    Column("owner", sortable(), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("object", Text),
    Column("deleted", Boolean(create_constraint=False), nullable=False),
    Index("ix_timeline_store_uid", "store_uid", "seq"),
)

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("user", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("body_digest", Text, nullable=False),
    Column("store_id", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False, index=True),
    PrimaryKeyConstraint("user", "key"),
)

users: Final = Table(
    "users",
    metadata,
    Column("name", sortable(), primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", sortable(), primary_key=True),
    Column("user", sortable(), ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    # A revoked token is kept: one that stands in the settings must not come back by a restart.
    Column("revoked_at", BigInteger),
)

# Signed-in browsers, and the one-time codes of log-in links (kind code). Both are as good as the
# token that they were made with, and go with it.
sessions: Final = Table(
    "sessions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column(
        "token_id",
        sortable(),
        ForeignKey("tokens.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

# The overview's short past: one sample a minute, as JSON.
samples: Final = Table(
    "samples",
    metadata,
    Column("time", BigInteger, primary_key=True, autoincrement=False),
    Column("sample", Text, nullable=False),
)

# Who did what. The timeline says what happened to a store; this also covers people and tokens.
audit: Final = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("user", Text, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
)
