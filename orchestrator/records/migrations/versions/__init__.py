"""The revisions, oldest first. Each must also work as a script of SQL: see migrate.py."""
