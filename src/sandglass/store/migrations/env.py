"""How Alembic runs inside Sandglass: on the connection that `migrate` holds, never on one of its own."""

from alembic import context

from sandglass.store.tables import Base

connection = context.config.attributes["connection"]
# Batch mode rebuilds SQLite tables; foreign keys stay as the tables say because rows are copied, not deleted.
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
