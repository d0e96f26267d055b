"""Keep ids apart, and cut statements into parts on PostgreSQL."""

import sqlalchemy as sa
from alembic import op

from xapi_store.tables.types import PackedUuid

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

IN_PARTS = (
    "xapi_statement",
    "xapi_agent_link",
    "xapi_activity_link",
    "xapi_verb_link",
    "xapi_registration_link",
)


def upgrade() -> None:
    """Keep ids apart, and cut statements into parts on PostgreSQL."""
    op.create_table(
        "xapi_statement_id",
        sa.Column("id", PackedUuid(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("refers_to", PackedUuid(), nullable=True),
        sa.Column("voiding", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_xapi_statement_id")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO xapi_statement_id (id, position, refers_to, voiding)"
        " SELECT id, position, refers_to, voiding FROM xapi_statement ORDER BY id"
    )
    op.create_index(
        op.f("ix_xapi_statement_id_refers_to"),
        "xapi_statement_id",
        ["refers_to"],
        sqlite_where=sa.text("refers_to IS NOT NULL"),
        postgresql_where=sa.text("refers_to IS NOT NULL"),
    )
    with op.batch_alter_table("xapi_statement") as table:
        table.drop_index(op.f("ix_xapi_statement_refers_to"))
        table.drop_constraint(op.f("uq_xapi_statement_id"), type_="unique")
        table.drop_column("refers_to")
        table.drop_column("voiding")
    if op.get_bind().dialect.name == "postgresql":
        for table_name in IN_PARTS:
            _cut(table_name)


def _cut(table: str) -> None:
    """Make what a table held the first part of a table in parts; no row is moved."""
    part = f"{table}_part_0"
    connection = op.get_bind()
    indexes = connection.execute(
        sa.text(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisprimary FROM pg_index"
            " WHERE indrelid = CAST(:table AS regclass)"
        ),
        {"table": table},
    ).all()
    op.execute(f"ALTER TABLE {table} RENAME TO {part}")
    for name, _, _ in indexes:
        op.execute(f"ALTER INDEX {name} RENAME TO {name}_part_0")
    op.execute(f"CREATE TABLE {table} (LIKE {part} INCLUDING DEFAULTS) PARTITION BY RANGE (position)")
    for name, definition, is_primary in indexes:
        if is_primary:
            columns = definition[definition.rindex("(") :]
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} PRIMARY KEY {columns}")
        else:
            op.execute(definition.replace(f" ON public.{table} ", f" ON {table} "))
    op.execute(f"ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM (0) TO ({2**32})")
    if table == "xapi_statement":
        op.execute("ALTER SEQUENCE xapi_statement_position_seq OWNED BY xapi_statement.position")
