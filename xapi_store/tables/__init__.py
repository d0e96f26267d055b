"""What the store keeps: rows, column types, and positions."""

from xapi_store.tables.dictionaries import digest, find_numbers, numbers
from xapi_store.tables.inserts import Inserted, insert_all, insert_or_ignore
from xapi_store.tables.partitions import IN_PARTS
from xapi_store.tables.positions import (
    add_in_order,
    newest_ended,
    next_positions,
    settled_to,
    transaction_number,
)
from xapi_store.tables.prepared import Prepared, PreparedForList, Values
from xapi_store.tables.rows import (
    ActivityLink,
    ActivityRow,
    AgentLink,
    AgentName,
    AgentRow,
    AttachmentAuthority,
    AttachmentRow,
    Base,
    DictionaryRow,
    DocumentRow,
    RegistrationLink,
    StatementId,
    StatementRow,
    VerbLink,
    VerbRow,
)
from xapi_store.tables.types import PackedUuid, UtcDateTime

__all__ = [
    "IN_PARTS",
    "ActivityLink",
    "ActivityRow",
    "AgentLink",
    "AgentName",
    "AgentRow",
    "AttachmentAuthority",
    "AttachmentRow",
    "Base",
    "DictionaryRow",
    "DocumentRow",
    "Inserted",
    "PackedUuid",
    "Prepared",
    "PreparedForList",
    "RegistrationLink",
    "StatementId",
    "StatementRow",
    "UtcDateTime",
    "Values",
    "VerbLink",
    "VerbRow",
    "add_in_order",
    "digest",
    "find_numbers",
    "insert_all",
    "insert_or_ignore",
    "newest_ended",
    "next_positions",
    "numbers",
    "settled_to",
    "transaction_number",
]
