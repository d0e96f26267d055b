"""Records cross a link that breaks before anything is whole."""

from __future__ import annotations

import itertools
from pathlib import Path

from tests.benchmarks.traffic import of_a_post
from tests.poor_link import Link
from tests.sites import site

COUNT = 250


def test_a_link_that_breaks_every_five_kilobytes_delivers_all(tmp_path: Path) -> None:
    recorded = list(itertools.islice(of_a_post(7), COUNT))
    with site(tmp_path, Link(cut_every=5_000), recorded) as here:
        report = here.meet()

        assert (report["state"], report["sent"], report["waiting"]) == ("done", COUNT, 0)
        assert here.link.cuts > 2
