"""How Alembic runs the migrations: on the connection that `occode.storage.database.migrate` hands it."""

from alembic import context

from occode.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
