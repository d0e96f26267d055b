"""Files beside statements, in and out (1.0.3 Communication §1.5.2, §2.1.3, Data §2.4.11; 2.0 §4.1.3, §4.2.2.6)."""

from __future__ import annotations

import hashlib

import orjson
import pytest
from starlette.testclient import TestClient

from tests.xapi_builders import (
    a_statement,
    an_activity,
    an_attachment,
    an_id,
    files_in,
    found,
    read_by,
    sent,
    something,
    with_files,
)


def test_a_file_sent_with_a_statement_comes_back_when_it_is_asked_for(either: TestClient) -> None:
    content, statement_id = f"a certificate {an_id()}".encode(), an_id()
    attachment = an_attachment(content, contentType="text/csv")

    answer = with_files(either, a_statement(id=statement_id, attachments=[attachment]), content)

    assert answer.json() == [statement_id]
    query = {"statementId": statement_id, "attachments": "true"}
    statement, files = files_in(either.get("/statements", params=query))
    assert statement["attachments"] == [attachment]
    assert files == {attachment["sha2"]: ("text/csv", content)}
    assert read_by(either, statement_id)["attachments"] == [attachment]
    assert read_by(either, statement_id, attachments="false") == statement


def test_a_file_may_come_with_a_put(either: TestClient) -> None:
    content, statement_id = b"put", an_id()

    answer = with_files(
        either, a_statement(attachments=[an_attachment(content)]), content, statementId=statement_id
    )

    assert answer.status_code == 204
    query = {"statementId": statement_id, "attachments": "true"}
    assert len(files_in(either.get("/statements", params=query))[1]) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"\r\n--cu", b"\r\n\r\nX: y\r\n\r\n", b"--", bytes(range(256)), b"\r\n" * 999]
)
def test_any_bytes_come_back_as_they_were(either: TestClient, content: bytes) -> None:
    (statement_id,) = with_files(either, a_statement(attachments=[an_attachment(content)]), content).json()

    answer = either.get("/statements", params={"statementId": statement_id, "attachments": "true"})

    ((_, read),) = files_in(answer)[1].values()
    assert hashlib.sha256(read).digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize("digits", [55, 57, 63, 65, 97, 127, 129])
def test_what_no_sha_2_gives_names_no_file(either: TestClient, digits: int) -> None:
    attachment = an_attachment(b"x", sha2="a" * digits, fileUrl="https://example.org/x")

    answer = either.post("/statements", json=a_statement(attachments=[attachment]))

    assert (answer.status_code, answer.json()["path"]) == (400, "$.attachments[0].sha2")


@pytest.mark.parametrize("algorithm", ["sha224", "sha256", "sha384", "sha512"])
def test_every_sha_2_names_a_file_in_either_case(either: TestClient, algorithm: str) -> None:
    content = algorithm.encode()
    digest = hashlib.new(algorithm, content).hexdigest()
    attachment = an_attachment(content, sha2=digest.upper())
    body = (
        b"--cut\r\nContent-Type: application/json\r\n\r\n%s\r\n"
        b"--cut\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n"
        b"X-Experience-API-Hash: %s\r\n\r\n%s\r\n--cut--"
    )
    statement = a_statement(attachments=[attachment])

    answer = either.post(
        "/statements",
        content=body % (orjson.dumps(statement), digest.encode(), content),
        headers={"Content-Type": "multipart/mixed; boundary=cut"},
    )

    assert answer.status_code == 200, answer.text
    query = {"statementId": answer.json()[0], "attachments": "true"}
    assert [file[1] for file in files_in(either.get("/statements", params=query))[1].values()] == [content]


def test_a_file_is_sent_once_for_many_statements_and_found_for_each(either: TestClient) -> None:
    content, activity = f"shared {an_id()}".encode(), something()
    statement = a_statement(object=an_activity(activity), attachments=[an_attachment(content)])

    first = with_files(either, [statement, statement], content)
    second = with_files(either, statement, content)

    assert (first.status_code, second.status_code) == (200, 200)
    answer = either.get("/statements", params={"activity": activity, "attachments": "true"})
    statements, files = files_in(answer)
    assert len(statements["statements"]) == 3
    assert [file[1] for file in files.values()] == [content]


def test_files_of_plans_come_and_go_like_others(either: TestClient) -> None:
    content = f"of a plan {an_id()}".encode()
    plan = {"objectType": "SubStatement"} | a_statement(attachments=[an_attachment(content)])

    (statement_id,) = with_files(either, a_statement(object=plan), content).json()

    answer = either.get("/statements", params={"statementId": statement_id, "attachments": "true"})
    assert [file[1] for file in files_in(answer)[1].values()] == [content]


def test_a_file_elsewhere_needs_no_bytes_here(either: TestClient) -> None:
    attachment = an_attachment(b"far away", fileUrl="https://example.org/file")

    (statement_id,) = sent(either, a_statement(attachments=[attachment]))

    query = {"statementId": statement_id, "attachments": "true"}
    assert files_in(either.get("/statements", params=query))[1] == {}


def test_statements_with_no_files_are_multipart_too_if_they_were_asked_for_so(either: TestClient) -> None:
    activity = something()
    (statement_id,) = sent(either, a_statement(object=an_activity(activity)))

    answer = either.get("/statements", params={"activity": activity, "attachments": "true", "format": "ids"})

    statements, files = files_in(answer)
    assert [one["id"] for one in statements["statements"]] == [statement_id]
    assert statements["statements"][0]["object"] == {"id": activity}
    assert files == {}


def test_files_follow_from_page_to_page(either: TestClient) -> None:
    activity, contents = something(), [f"{place} {an_id()}".encode() for place in range(3)]
    for content in contents:
        statement = a_statement(object=an_activity(activity), attachments=[an_attachment(content)])
        with_files(either, statement, content)

    seen, link = [], f"/statements?activity={activity}&attachments=true&limit=2&ascending=true"
    while link:
        statements, files = files_in(either.get(link))
        seen.append([file[1] for file in files.values()])
        link = statements["more"]

    assert [sorted(page) for page in seen] == [sorted(contents[:2]), contents[2:]]


@pytest.mark.parametrize("files", [[], [b"another"], [b"a file", b"another"]])
def test_files_and_statements_must_belong_together(either: TestClient, files: list[bytes]) -> None:
    activity = something()
    statement = a_statement(object=an_activity(activity), attachments=[an_attachment(b"a file")])

    answer = with_files(either, statement, *files)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert found(either, activity=activity) == []


def test_a_statement_refused_keeps_no_file(either: TestClient) -> None:
    content, taken = f"refused {an_id()}".encode(), an_id()
    sent(either, a_statement(id=taken))
    attachment = an_attachment(content)

    answer = with_files(either, a_statement(id=taken, attachments=[attachment]), content)

    assert answer.status_code == 409
    elsewhere = a_statement(attachments=[attachment | {"fileUrl": "https://example.org/file"}])
    (statement_id,) = sent(either, elsewhere)
    query = {"statementId": statement_id, "attachments": "true"}
    assert files_in(either.get("/statements", params=query))[1] == {}
