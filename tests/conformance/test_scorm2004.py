"""ADL's SCORM 2004 4th Edition LMS test: 188 cases from their data, through the shim and the server, no browser.

What the unit hears is judged thrice at once: by the suite, by the player's shim, and by the server.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from lms.database import Database
from tests.conformance.shim import Shim, a_shim
from tests.conformance.sitting import a_node
from tests.conformance.tester import CaseTester, DisagreementError, Suite

pytestmark = pytest.mark.shared
CASES = {
    "API": 1, "CM": 32, "CO": 23, "CT": 7, "DDM": 1, "DMB": 1, "DMI": 1, "MS": 8, "OB": 40, "RU": 48, "SX": 24, "T": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def shim() -> Iterator[Shim]:
    with a_shim() as shim:
        yield shim


@pytest.mark.parametrize("group", CASES)
def test_the_product_agrees_with_the_suite(
    group: str, shared: Path, shim: Shim, database: Database, tmp_path: Path
) -> None:
    suite = Suite(shared / "scorm-cts", tmp_path)
    played = [name for name in suite.names() if name.split("-")[0] == group]
    # Cases of one number share a learner: what one leaves in global objectives, the next one finds.
    learners: dict[str, UUID] = {}
    node = a_node(database, tmp_path)

    differences = {}
    for name in played:
        number = re.sub(r"^([A-Z]+(?:-\d+)?).*", r"\1", name)
        learner = learners.setdefault(number, uuid.uuid4())
        try:
            CaseTester(suite, name, node, shim, learner).play()
        except DisagreementError as difference:
            differences[name] = str(difference)

    assert len(played) == CASES[group]
    assert differences == {}
