"""What Alembic executes for each migration: it must act on import. The caller owns the connection and transaction."""

from alembic import context
from sqlalchemy import Connection

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection), "migrations are run by store.database"
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
