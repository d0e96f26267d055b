"""The engine agrees with ADL's SCORM 2004 4th Edition cases, played without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sequencing_cases import DisagreementError, Globals, Player


@pytest.mark.shared
def test_the_engine_agrees_with_the_suite(shared: Path) -> None:
    names = sorted(path.stem for path in (shared / "scorm-cts" / "cases").glob("*.json"))
    assert len(names) == 188

    differences: dict[str, str] = {}
    # Cases of one number share a learner: what one leaves in global objectives, the next one finds.
    left: dict[str, Globals] = {}
    for name in names:
        learner = str(re.match(r"[A-Z]+(-\d+)?", name)[0])  # type: ignore[index]
        player = Player(shared, name, left.get(learner, {}))
        try:
            player.play()
        except DisagreementError as difference:
            differences[name] = str(difference)
        left[learner] = player.globals

    assert differences == {}
