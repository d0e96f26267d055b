"""Taking statements in: those that arrive here, and copies of those made elsewhere."""

from xapi_store.ingest.acceptance import Admit, store_statements
from xapi_store.ingest.copies import CopyOutcome, Outcome, store_copies

__all__ = ["Admit", "CopyOutcome", "Outcome", "store_copies", "store_statements"]
