"""One node, opened: what every command, the server and the work in the background have in common.

Nothing here knows of browsers: a command that only needs the data folder does not wait for the web to load.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from content_packages.shelf import Shelf
from lms.database import Database
from lms.erasure.actions import PersonErasure
from lms.evidence.kept import StatementsKept
from lms.nodes.local import sync_node
from lms.people.passwords import Passwords, prepare_passwords
from lms.records.files import ShelfFiles
from lms.retention.stream import RetentionStream
from lms.settings import Role, Settings
from lms.streams.attachments import AttachmentStream
from lms.streams.blobs import AllBlobs
from lms.streams.directory import DirectoryStream
from lms.streams.documents import DocumentStream
from lms.streams.lacks import LackStream
from lms.streams.presence import PeopleStream, PresenceStream
from lms.streams.statements import StatementStream
from sync import identity
from sync.days import Days
from sync.erasures import Confirmations, Erasures
from sync.errors import KeyLostError
from sync.identity import write_private
from sync.losses import Losses
from sync.node import Node as SyncNode
from sync.ports import Stream
from sync.revocations import Revocations

if TYPE_CHECKING:
    from lms.bundles.actions import Carrier
    from lms.courses.importing import Importer

SECRET_NAME = "secret.key"  # noqa: S105 - the name of a file, not what is in it


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Duties:
    """What differs by role; the one table of it."""

    grants_travel: bool  # roles given here count on all nodes below, and courses made here are no offers
    first_person_here: bool  # a browser may make the first administrator


DUTIES = {
    Role.LAPTOP: Duties(grants_travel=False, first_person_here=True),
    Role.HUB: Duties(grants_travel=False, first_person_here=False),
    Role.CENTRAL: Duties(grants_travel=True, first_person_here=False),
}


class Node:
    """One node, opened; close it when done."""

    def __init__(self, settings: Settings) -> None:
        settings.data.mkdir(parents=True, exist_ok=True)
        settings.uploads.mkdir(exist_ok=True)
        self.settings = settings
        self.duties = DUTIES[settings.role]
        self.database = Database(settings.database_url)
        self.shelf = Shelf(settings.shelf)
        self.attachments = ShelfFiles(Shelf(settings.attachments))
        self.secret = _secret(settings.data / SECRET_NAME)

    def close(self) -> None:
        """Give back what is held open."""
        self.database.close()

    @cached_property
    def directory(self) -> DirectoryStream:
        """The stream of people and courses, and what this node wishes for of the latter."""
        return DirectoryStream(self.shelf, new_id=uuid4, leave_free=self.settings.min_free_bytes)

    @cached_property
    def sync(self) -> SyncNode:
        """This node as sync sees it.

        Raises:
            KeyLostError: the node's key is not in the data folder.
        """
        key = identity.load_key(self.settings.data)
        if key is None:
            raise KeyLostError(
                f"{self.settings.data} holds no node key. `lms init` makes one for a new node; an old node's "
                "comes from its backup."
            )
        attached = Shelf(self.settings.attachments)
        streams: list[Stream] = [
            Revocations(),
            Erasures(),
            Confirmations(),
            Days(),
            Losses(),
            self.directory,
            PresenceStream(),
            StatementStream(),
            DocumentStream(),
            PeopleStream(),
            LackStream(self.directory.wishes),
            AttachmentStream(attached, self.shelf),
            RetentionStream(),
        ]
        return sync_node(
            self.database,
            key,
            self.settings.data,
            streams=streams,
            blobs=AllBlobs(
                self.shelf, attached, leave_free=self.settings.min_free_bytes, read=self.database.read
            ),
            erasure=PersonErasure(
                self.database,
                attachments=attached,
                exports=self.settings.exports,
            ),
            kept=StatementsKept(),
            wishes=self.directory.wishes,
        )

    @cached_property
    def passwords(self) -> Passwords:
        """How passwords are hashed here, as costly as this machine can bear."""
        return prepare_passwords(self.database)

    @cached_property
    def importer(self) -> Importer:
        """What imports course packages."""
        # What reads all their kinds loads for longer than most commands run.
        from lms.courses.importing import Importer  # noqa: PLC0415

        return Importer(
            database=self.database,
            shelf=self.shelf,
            uploads=self.settings.uploads,
            now=utc_now,
            new_id=uuid4,
            provisional=not self.duties.grants_travel,
            keeps_originals=self.settings.keep_originals,
            limits=self.settings.limits,
        )

    @cached_property
    def bundles(self) -> Carrier:
        """What writes and takes bundles."""
        from lms.bundles.actions import Carrier  # noqa: PLC0415 - for commands on bundles alone, like the importer

        return Carrier(
            database=self.database,
            sync=lambda: self.sync,
            folder=self.settings.bundles,
            limits=self.settings.limits,
            now=utc_now,
            new_id=uuid4,
        )


def _secret(path: Path) -> bytes:
    """Return the random bytes of this node, made the first time."""
    if not path.exists():
        write_private(path, secrets.token_bytes(32))
    return path.read_bytes()
