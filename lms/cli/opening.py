"""Open the node a command is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy.exc import OperationalError

from lms.app import Node
from lms.cli.console import fail
from lms.database import DatabaseError
from lms.settings import CONFIG_NAME, Settings, SettingsError, load_settings


def settings_of(data: str | None, **flags: object) -> Settings:
    """Return the settings, or end the command with the sentence that says what is wrong with them."""
    try:
        return load_settings(data=data, **flags)
    except SettingsError as error:
        fail(str(error), status=2)


@contextmanager
def opened(data: str | None) -> Iterator[Node]:
    """Open a node that ``lms init`` has made, at this program's schema; close it afterwards."""
    settings = settings_of(data)
    if not (settings.data / CONFIG_NAME).exists():
        fail(f"There is no node in {settings.data} yet. `lms init` makes one; --data names another folder.")
    try:
        with closing(Node(settings)) as node:
            node.database.upgrade()
            yield node
    except DatabaseError as error:
        fail(str(error))
    except OperationalError as error:  # no server there, or another program writes and writes
        fail(f"The database does not answer ({error.orig}). Nothing was changed; try again in a while.")
