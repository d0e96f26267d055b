"""What the store keeps: rows, column types, and positions."""

from xapi_store.tables.dictionaries import chunks, digest, find_numbers, numbers
from xapi_store.tables.positions import next_positions, settled, transaction_number
from xapi_store.tables.rows import (
    ActivityLink,
    ActivityRow,
    AgentLink,
    AgentName,
    AgentRow,
    AttachmentRow,
    Base,
    DocumentRow,
    RegistrationLink,
    StatementRow,
    VerbLink,
    VerbRow,
)
from xapi_store.tables.types import PackedUuid, UtcDateTime

__all__ = [
    "ActivityLink",
    "ActivityRow",
    "AgentLink",
    "AgentName",
    "AgentRow",
    "AttachmentRow",
    "Base",
    "DocumentRow",
    "PackedUuid",
    "RegistrationLink",
    "StatementRow",
    "UtcDateTime",
    "VerbLink",
    "VerbRow",
    "chunks",
    "digest",
    "find_numbers",
    "next_positions",
    "numbers",
    "settled",
    "transaction_number",
]
