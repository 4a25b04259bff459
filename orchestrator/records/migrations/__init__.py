"""Alembic revisions; orchestrator.records.migrate runs them at start."""
