"""Where every table is registered. `load_models` finds each feature's models.py, so nobody keeps a list."""

from __future__ import annotations

import importlib
import pkgutil

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def load_models() -> sa.MetaData:
    """Import every `app.<feature>.models`, and answer the metadata that now holds all tables."""
    import app

    for feature in pkgutil.iter_modules(app.__path__, "app."):
        if feature.ispkg:
            package = importlib.import_module(feature.name)
            if any(m.name == "models" for m in pkgutil.iter_modules(package.__path__)):
                importlib.import_module(f"{feature.name}.models")
    return metadata
