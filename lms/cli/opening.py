"""Open the node a command is about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy.exc import OperationalError

from lms.cli.console import fail
from lms.database import DatabaseError
from lms.node import Node
from lms.settings import CONFIG_NAME, Settings, SettingsError, load_settings

_NO_ROOM_BYTES = 64 * 1024  # SQLite asks for half of that before it reads a page


def settings_of(data: str | None, **flags: object) -> Settings:
    """Return the settings, or end the command with the sentence that says what is wrong with them."""
    try:
        return load_settings(data=data, **flags)
    except SettingsError as error:
        fail(str(error), status=2)


def is_made(settings: Settings) -> bool:
    """Say whether ``lms init`` has made a node of this folder."""
    return (settings.data / CONFIG_NAME).exists()


def require_node(settings: Settings) -> None:
    """End the command where there is no node, before anything is made in a folder that was mistyped."""
    if not is_made(settings):
        fail(f"There is no node in {settings.data} yet. `lms init` makes one; --data names another folder.")


@contextmanager
def opened(data: str | None) -> Iterator[Node]:
    """Open a node that ``lms init`` has made, at this program's schema; close it afterwards."""
    settings = settings_of(data)
    require_node(settings)
    try:
        with closing(Node(settings)) as node:
            node.database.upgrade()
            yield node
    except DatabaseError as error:
        fail(str(error))
    except OperationalError as error:  # no server there, or another program writes and writes
        if shutil.disk_usage(settings.data).free < _NO_ROOM_BYTES:
            fail(
                f"The disk of {settings.data} is full. Nothing was changed; free space on it, then try again."
            )
        fail(f"The database does not answer ({error.orig}). Nothing was changed; try again in a while.")
