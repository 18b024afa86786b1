"""How Alembic reaches the tables: inside the one transaction that store.schema opened."""

from __future__ import annotations

from alembic import context

from store.partitions import BESIDE
from store.tables import Base


def ours(_thing, name, type_, reflected, _compare_to) -> bool:
    """Whether a table is in store.tables: the full-text index is not, as each database has its own (store.fulltext),
    nor are the parts of a parted table of mentions (store.partitions)."""
    return not (type_ == "table" and reflected and (name.startswith("mention_") or name in BESIDE))


def configure_and_run(connection) -> None:
    context.configure(
        connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True,
        user_module_prefix="store.types.", include_object=ours,
    )
    with context.begin_transaction():
        context.run_migrations()


if connection := context.config.attributes.get("connection"):
    configure_and_run(connection)
else:  # the alembic command itself, for `alembic check` and `alembic revision --autogenerate`
    from store.engine import open_store

    with open_store(context.config.get_main_option("sqlalchemy.url")).connect() as own:
        configure_and_run(own)
