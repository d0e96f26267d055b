"""Every command tells programs what it tells people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from lms.cli import app

GOES_ON = {("serve",)}  # it ends when it is told to


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, (*path, name))
        else:
            yield (*path, name), one


ALL = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", sorted(ALL.keys() - GOES_ON), ids=" ".join)
def test_it_takes_json_and_has_help(path: tuple[str, ...]) -> None:
    command = ALL[path]

    assert "--json" in {option for one in command.params for option in getattr(one, "opts", ())}
    assert command.help


def test_what_changes_something_says_so_in_json_too(tmp_path: Path) -> None:
    def lms(*arguments: str) -> Any:
        done = CliRunner().invoke(app, [*arguments, "--data", str(tmp_path), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    assert lms("init")["role"] == "laptop"
    made = lms("lrs-key", "create", "a tool")
    assert lms("lrs-key", "revoke", made["key"]) == {"revoked": made["key"]}
