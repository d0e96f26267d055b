"""A data folder has one server at a time."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from tests.servers import NodeUnderTest, free_port


@pytest.fixture
def second(laptop: NodeUnderTest) -> NodeUnderTest:
    """Another server of the same folder, on ports of its own."""
    return replace(laptop, port=free_port(), content_port=free_port(), process=None)


def test_a_second_server_on_the_same_folder_is_refused_in_a_sentence(
    laptop: NodeUnderTest, second: NodeUnderTest
) -> None:
    refused = second.run("serve", check=False, timeout_s=60)

    assert refused.returncode == 1
    assert f"Another Outpost server already uses {laptop.data}. Stop it first" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_first_server_goes_on_answering_when_a_second_is_refused(
    laptop: NodeUnderTest, second: NodeUnderTest
) -> None:
    second.run("serve", check=False, timeout_s=60)

    assert httpx.get(f"{laptop.url}/readyz").status_code == 200


def test_a_server_starts_on_the_folder_of_one_that_was_killed(
    laptop: NodeUnderTest, second: NodeUnderTest
) -> None:
    laptop.kill()

    second.start()

    assert httpx.get(f"{second.url}/readyz").status_code == 200
    second.kill()
