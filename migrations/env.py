"""Alembic's entry: our metadata, the owner's role, one transaction."""

import sqlalchemy as sa
from alembic import context

from app.db import load_models


def run() -> None:
    """Migrate the database named in the configuration's attributes."""
    url = sa.make_url(context.config.attributes["url"]).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        # One migration at a time, whoever starts first; the lock ends with the transaction.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(71260342)"))
        context.configure(connection=connection, target_metadata=load_models(), include_object=_ours)
        context.run_migrations()
    engine.dispose()


def _ours(item: object, name: str | None, kind: str, reflected: bool, _: object) -> bool:
    """Day partitions are made at run time: they are no difference between the models and the database."""
    return not (kind == "table" and reflected and name is not None and name.rsplit("_", 1)[-1].isdigit())


run()
