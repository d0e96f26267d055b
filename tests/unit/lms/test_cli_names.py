"""What sentences, help and guides tell people to type is there to be typed."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

import lms.cli
from lms.cli import COMMANDS, app

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


def test_commands_stand_in_the_table_with_the_first_sentence_of_their_help() -> None:
    told: dict[str, tuple[str, str]] = {}

    for module in Path(lms.cli.__file__).parent.glob("[a-z]*.py"):
        subject = getattr(import_module(f"lms.cli.{module.stem}"), "app", None)
        if isinstance(subject, typer.Typer):
            whole = typer.Typer()
            whole.add_typer(subject)
            commands = get_group(whole).commands
            told |= {name: (module.stem, one.help) for name, one in commands.items()}

    assert told.keys() == COMMANDS.keys()
    for name, (stem, sentence) in COMMANDS.items():
        assert told[name][0] == stem
        assert told[name][1].startswith(sentence.rstrip(".")), name


def test_to_tell_of_the_commands_loads_none_of_them() -> None:
    *helped, loaded = said("import sys; from lms.cli import app; app(['--help'], standalone_mode=False)")

    assert any("Meet paired nodes" in line for line in helped)
    assert not {"lms.cli.node", "lms.node", "sqlalchemy", "pydantic", "rich"} & set(loaded.split())


def test_a_command_that_syncs_loads_nothing_of_what_it_does_not_do() -> None:
    (loaded,) = said("import sys, lms.cli.nodes")

    assert "lms.node" in loaded.split()
    assert not {
        "alembic", "babel", "content_packages.intake", "fastapi", "jinja2", "lms.bundles.actions",
        "lms.courses.importing", "lms.launch.actions", "lms.records.export", "lms.reports.queries",
    } & set(loaded.split())  # fmt: skip


def said(program: str) -> list[str]:
    """Return what a new process printed, in the last line the modules it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; print(*sys.modules)"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.splitlines()
