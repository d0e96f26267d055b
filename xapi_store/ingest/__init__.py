"""Taking statements in: those that arrive here, and copies of those made elsewhere."""

from xapi_store.ingest.acceptance import (
    Admit,
    Arriving,
    Following,
    Submission,
    check_submission,
    store_statements,
    store_submissions,
)
from xapi_store.ingest.copies import CopyOutcome, Outcome, statement_of_copy, store_copies

__all__ = [
    "Admit",
    "Arriving",
    "CopyOutcome",
    "Following",
    "Outcome",
    "Submission",
    "check_submission",
    "statement_of_copy",
    "store_copies",
    "store_statements",
    "store_submissions",
]
