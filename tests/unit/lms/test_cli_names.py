"""What sentences, help and guides tell people to type is there to be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from lms.cli import app

ROOT = Path(__file__).parents[3]
_NAMED = re.compile(r"`lms ((?:[a-z][a-z-]*\s?)+)")
_READ = ("README.md", "*/README.md", "lms/**/*.py", "lms/**/*.md", "lms/**/*.html")


def written() -> list[tuple[str, str]]:
    files = {file for pattern in _READ for file in ROOT.glob(pattern)}
    own = [one for one in files if not {"static", "node_modules", ".venv"} & set(one.relative_to(ROOT).parts)]
    return sorted(
        {
            (file.relative_to(ROOT).as_posix(), " ".join(named.split()))
            for file in own
            for named in _NAMED.findall(file.read_text(encoding="utf-8"))
        }
    )


@pytest.mark.parametrize(("file", "words"), written())
def test_a_command_that_is_named_exists(file: str, words: str) -> None:
    command = get_command(app)

    for word in words.split():
        if not isinstance(command, TyperGroup):
            break  # what follows is what is given to it
        assert word in command.commands, f"{file} names `lms {words}`"
        command = command.commands[word]
