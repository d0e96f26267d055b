"""Files are kept once, and found for however many statements ask."""

from typing import Any

from sqlalchemy.orm import Session

from tests.xapi_builders import AUTHORITY, a_statement, an_attachment
from xapi_store.attachments import Part, find_parts, keep_parts


def test_more_digests_than_a_query_takes_values_are_looked_up(session: Session) -> None:
    kept = [an_attachment(content, contentType="text/csv") for content in (b"first", b"last")]
    parts = [
        Part(sha2=one["sha2"], content=content, content_type="text/csv")
        for one, content in zip(kept, (b"first", b"last"), strict=True)
    ]
    keep_parts(session, None, parts, AUTHORITY)
    many: list[dict[str, Any]] = [
        {"sha2": f"{number:064x}", "contentType": "text/csv"} for number in range(260_000)
    ]
    statements = [a_statement(attachments=[kept[0], *many]), a_statement(attachments=[kept[1], kept[0]])]

    found = find_parts(session, None, statements)

    assert sorted(found, key=lambda part: part.content) == parts


def test_nothing_is_found_for_statements_without_files(session: Session) -> None:
    assert find_parts(session, None, [a_statement()]) == []
