"""Every fault names the section of the standard that has the rule."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.xapi_builders import COURSE, LEARNER, VOIDED, a_statement
from tests.xapi_strategies import Broken, broken_statements
from xapi_store.errors import InvalidStatementError
from xapi_store.model.statement import check_agent, check_statement, faults_of
from xapi_store.model.version import Version

CITATIONS = {
    Version.V1: re.compile(r"xAPI 1\.0\.3 Data §[24](\.\d+)+"),
    Version.V2: re.compile(r"xAPI 2\.0 \(IEEE 9274\.1\.1\) §4\.2(\.\d+)+"),
}
AN_ATTACHMENT = {
    "usageType": "urn:x:u",
    "display": {"en": "A"},
    "contentType": "text/plain",
    "length": 1,
    "sha2": "no",
}


def section(statement: Any, version: Version) -> str:
    with pytest.raises(InvalidStatementError) as caught:
        check_statement(statement, version)
    return caught.value.section.rpartition("§")[2]


@pytest.mark.parametrize(
    ("statement", "first", "second"),
    [
        ([], "2.2", "4.2.1"),
        (a_statement(surprise=1), "2.2", "4.2.1"),
        (a_statement(result=None), "2.2", "4.2.1"),
        (a_statement(result={"success": "true"}), "2.2", "4.2.1"),
        ({"verb": {"id": COURSE}, "object": {"id": COURSE}}, "2.4.2", "4.2.2.1"),
        (a_statement(actor={"name": "A"}), "2.4.2.3", "4.2.2.1"),
        (a_statement(actor={"mbox": "a@example.org"}), "2.4.2.3", "4.2.2.1"),
        (a_statement(actor={"objectType": "Group"}), "2.4.2.2", "4.2.2.1"),
        (a_statement(actor={"account": {"name": "A"}}), "2.4.2.4", "4.2.2.1"),
        (a_statement(actor={"objectType": "Robot"}), "2.4.2", "4.2.2.1"),
        (a_statement(verb={}), "2.4.3", "4.2.2.2"),
        (a_statement(verb={"id": "passed"}), "4.3", "4.2.7"),
        (a_statement(verb={"id": COURSE, "display": {"en_GB": "passed"}}), "4.2", "4.2.7"),
        (a_statement(verb={"id": COURSE, "display": {"=one": "passed"}}), "4.2", "4.2.7"),
        (a_statement(object={"objectType": "Thing"}), "2.4.4", "4.2.2.3"),
        (a_statement(object={"objectType": "Activity"}), "2.4.4.1", "4.2.2.3"),
        (a_statement(object={"objectType": "StatementRef"}), "2.4.4.3", "4.2.2.3"),
        (a_statement(object={"id": COURSE, "definition": {"choices": []}}), "2.4.4.1", "4.2.2.3"),
        (a_statement(result={"score": {"scaled": 2}}), "2.4.5.1", "4.2.2.4"),
        (a_statement(result={"score": {"min": 2, "max": 1}}), "2.4.5.1", "4.2.2.4"),
        (a_statement(result={"duration": "1 h"}), "4.6", "4.2.7"),
        (a_statement(result={"extensions": {"no": 1}}), "4.1", "4.2.7"),
        (a_statement(context={"registration": "7"}), "4.4", "4.2.7"),
        (a_statement(context={"language": "e"}), "2.4.6", "4.2.2.5"),
        (
            a_statement(object=LEARNER, context={"platform": "here"}),
            "2.4.6",
            "4.2.2.5",
        ),
        (a_statement(timestamp="yesterday"), "4.5", "4.2.7"),
        (a_statement(verb={"id": VOIDED}), "2.3.2", "4.2.5"),
        (a_statement(authority={"objectType": "Group", "member": []}), "2.4.9", "4.2.4.2"),
        (a_statement(version="0.9"), "2.4.10", "4.2.2"),
        (a_statement(attachments=[AN_ATTACHMENT]), "2.4.11", "4.2.2.6"),
    ],
)
def test_a_fault_names_the_section_of_its_rule(statement: Any, first: str, second: str) -> None:
    assert section(statement, Version.V1) == first
    assert section(statement, Version.V2) == second


@pytest.mark.parametrize("version", list(Version))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_fault_is_without_a_section(version: Version, data: st.DataObject) -> None:
    broken: Broken = data.draw(broken_statements(version))

    found = faults_of(broken.statement, version)

    assert found
    assert all(CITATIONS[version].fullmatch(fault.section) for fault in found)


def test_a_fault_keeps_its_section_from_further_out() -> None:
    (fault,) = faults_of(a_statement(surprise=1), Version.V1)

    assert fault.at("$[3]").section == "xAPI 1.0.3 Data §2.2"


def test_an_agent_of_no_statement_is_told_both_standards() -> None:
    with pytest.raises(InvalidStatementError) as caught:
        check_agent({"name": "A"})

    assert caught.value.section == "xAPI 1.0.3 Data §2.4.2.3; xAPI 2.0 (IEEE 9274.1.1) §4.2.2.1"
