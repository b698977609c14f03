"""The models have exactly the columns of the migrated database."""

import pytest
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.operations import AlterModelOptions

from renewals.db.configuration import build_configuration
from tests.support.fixtures import World

WITHOUT_MODEL = {
    "events",
    "webhook_secrets",
    "webhook_cursors",
    "webhook_deliveries",
    "refund_lines",
    "search_texts",
}
"""The tables without a model: those whose primary key has several columns, and those without a primary key."""


async def test_every_table_has_a_model_with_its_columns(world: World) -> None:
    assert Tortoise.apps is not None
    declared = {
        (model._meta.db_table, column, field.null)
        for model in Tortoise.apps["renewals"].values()
        for field in model._meta.fields_map.values()
        if (column := model._meta.fields_db_projection.get(field.model_field_name))
    }
    columns = await world.rows("""SELECT table_name, column_name, is_nullable = 'YES'
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'tortoise_migrations'""")
    assert declared == {column for column in columns if column[0] not in WITHOUT_MODEL}
    assert {table for table, *_ in columns} >= WITHOUT_MODEL


async def test_models_and_migrations_agree(opened: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Tortoise.apps is not None
    for model in Tortoise.apps["renewals"].values():
        for name in model._meta.fk_fields:
            # Tortoise replaces a relation's column by its attribute, and then detects a change.
            field = model._meta.fields_map[name]
            column = model._meta.fields_db_projection[field.source_field]
            monkeypatch.setattr(field, "source_field", column)
    detector = MigrationAutodetector(Tortoise.apps, build_configuration(opened)["apps"])
    missing = [
        operation
        for change in await detector.changes()
        for operation in change.operations
        # Tortoise takes a model's docstring for the table's comment.
        if not isinstance(operation, AlterModelOptions)
    ]
    assert missing == [], "a model was changed without a migration"
