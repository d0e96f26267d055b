"""Which requests a node takes for its own, and where it tells browsers to go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from lms.settings import Settings
from lms.web.reach import Reach


def a_reach(**values: Any) -> Reach:
    plain: dict[str, Any] = {
        "public_url": "http://localhost:8000",
        "content_url": "http://localhost:8001",
        "names": frozenset({"localhost"}),
        "by_address": True,
        "own_names": frozenset({"hub.local"}),
        "content_ports": range(8002, 8004),
    }
    return Reach(**{**plain, **values})


def asked(host: str, *, at: str = "10.0.0.5", port: int = 8000) -> dict[str, Any]:
    return {"headers": [(b"host", host.encode("latin-1"))], "server": (at, port)}


@pytest.mark.parametrize(
    ("host", "at"),
    [
        ("localhost:8000", "127.0.0.1"),
        ("10.0.0.5:8000", "10.0.0.5"),
        ("10.0.0.5", "::ffff:10.0.0.5"),
        ("[fd00::5]:8000", "fd00::5"),
        ("[FD00:0:0::5]:8000", "fd00::5"),
        ("HUB.local:8000", "10.0.0.5"),
    ],
)
def test_the_pages_are_asked_for_by_the_address_at_which_the_request_came_in(host: str, at: str) -> None:
    assert a_reach().is_pages(asked(host, at=at))


@pytest.mark.parametrize(
    ("host", "at"),
    [
        ("10.0.0.6:8000", "10.0.0.5"),
        ("evil.example:8000", "10.0.0.5"),
        ("evil.example@10.0.0.5:8000", "10.0.0.5"),
        ("10.0.0.5.evil.example", "10.0.0.5"),
        ("k1.hub.local", "10.0.0.5"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "::1"),
        ("0x0a000005", "10.0.0.5"),
        ("010.0.0.5", "10.0.0.5"),
        ("", "10.0.0.5"),
    ],
)
def test_any_other_name_is_strange(host: str, at: str) -> None:
    assert not a_reach().is_pages(asked(host, at=at))


def test_a_node_whose_address_is_set_answers_there_only() -> None:
    reach = a_reach(by_address=False)

    assert not reach.is_pages(asked("10.0.0.5:8000"))
    assert not reach.is_pages(asked("hub.local"))


@pytest.mark.parametrize(
    ("host", "is_course"),
    [
        ("10.0.0.5:8002", True),
        ("hub.local:8002", True),
        ("10.0.0.5:8003", False),  # the port of another course
        ("10.0.0.5", False),
        ("10.0.0.6:8002", False),
        ("localhost:8002", False),
        ("k1.localhost:8002", False),
    ],
)
def test_a_course_is_asked_for_at_its_very_port(host: str, is_course: bool) -> None:
    assert a_reach().is_port_of_a_course(asked(host, port=8002)) is is_course


def test_a_course_knows_where_the_pages_are_for_whoever_plays_it() -> None:
    assert a_reach().pages_at(asked("hub.local:8002", port=8002)) == "http://hub.local:8000"
    assert a_reach().pages_at(asked("[fd00::5]:8002", at="fd00::5", port=8002)) == "http://[fd00::5]:8000"
    assert a_reach(port=80).pages_at(asked("hub.local:8002", port=8002)) == "http://hub.local"
    assert a_reach().pages_at(asked("localhost:8000")) == "http://localhost:8000"


def settings(tmp_path: Path, **values: Any) -> Settings:
    return Settings(data=tmp_path, **values)


def test_a_node_that_listens_beyond_its_machine_is_found_by_address(tmp_path: Path) -> None:
    beyond = settings(tmp_path, host="0.0.0.0")

    assert beyond.by_address
    assert beyond.ports_of_courses == range(8002, 8066)


@pytest.mark.parametrize(
    "said", [{}, {"host": "127.0.0.1"}, {"host": "::1"}, {"host": "0.0.0.0", "public_url": "http://hub.lan"}]
)
def test_all_others_are_found_where_it_is_set(tmp_path: Path, said: dict[str, str]) -> None:
    there = settings(tmp_path, **said)

    assert not there.by_address
    assert not there.ports_of_courses


def test_courses_at_an_address_have_ports(tmp_path: Path) -> None:
    apart = settings(
        tmp_path, host="0.0.0.0", public_url="http://10.0.0.5:8000", content_url="http://10.0.0.6:8001"
    )

    assert len(apart.ports_of_courses) == 64


@pytest.mark.parametrize(
    "said",
    [
        {"public_url": "https://hub.lan", "content_url": "http://courses.lan"},
        {
            "host": "0.0.0.0",
            "by_address": True,
            "public_url": "https://hub.lan",
            "content_url": "https://c.lan",
        },
        {"content_port": 65500, "content_ports": 100},
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(tmp_path, **said)
