"""The rows of the record store and the indexes that keep every query independent of its size.

Agents, activities and verbs are dictionaries: long identifiers stand once and are found by a digest of
fixed length. Links say which statements mention which entry. Their keys end with the statement's position,
so that a page of any query is a range of one index, read in order and left early. The links of agents and
activities also carry a verb, because "this officer, this verb" would otherwise walk everything the officer
ever did.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, MetaData, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from xapi_store.model.document import DocumentKey, DocumentKind
from xapi_store.tables.types import BigKey, PackedUuid, UtcDateTime

_WITHOUT_ROWID = {"sqlite_with_rowid": False}
_AUTOINCREMENT = {"sqlite_autoincrement": True}
_IN_PARTS = {"postgresql_partition_by": "RANGE (position)"}  # see `partitions`


class Base(DeclarativeBase):
    """Rows of the record store."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class AgentRow(Base):
    """One agent or identified group, known by its key (`model.actor.actor_key`)."""

    __tablename__ = "xapi_agent"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    value: Mapped[str] = mapped_column(Text)


class AgentName(Base):
    """A name under which an agent was seen: the Person object lists them."""

    __tablename__ = "xapi_agent_name"
    __table_args__ = (_WITHOUT_ROWID,)

    agent_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    name: Mapped[str] = mapped_column(Text)


class ActivityRow(Base):
    """One activity, by its IRI, with the definition as far as it was ever told."""

    __tablename__ = "xapi_activity"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    value: Mapped[str] = mapped_column(Text)
    definition: Mapped[bytes | None]


class VerbRow(Base):
    """One verb, by its IRI."""

    __tablename__ = "xapi_verb"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    value: Mapped[str] = mapped_column(Text)


class StatementId(Base):
    """The id of one statement, where it stands, and which other it refers to.

    A table of its own, because the statements themselves are cut into parts by position on PostgreSQL, and an id is
    taken once and for all: it stays here when the part with its statement is archived. Of a statement that was erased
    the position is negative.
    """

    __tablename__ = "xapi_statement_id"
    __table_args__ = (
        Index(
            None,
            "refers_to",
            sqlite_where=text("refers_to IS NOT NULL"),
            postgresql_where=text("refers_to IS NOT NULL"),
        ),
        _WITHOUT_ROWID,
    )

    id: Mapped[UUID] = mapped_column(PackedUuid, primary_key=True)
    position: Mapped[int] = mapped_column(BigKey)
    refers_to: Mapped[UUID | None] = mapped_column(PackedUuid)  # the id in a StatementRef as object
    voiding: Mapped[bool]


class StatementRow(Base):
    """One accepted statement: its JSON as this store vouches for it, and what queries need from it.

    `raw` holds every property but `stored`, which each record store sets for itself; so the bytes of a
    statement are the same on every node it ever reaches.
    """

    __tablename__ = "xapi_statement"
    __table_args__ = (Index(None, "stored", "position"), {**_AUTOINCREMENT, **_IN_PARTS})

    position: Mapped[int] = mapped_column(BigKey, primary_key=True)
    id: Mapped[UUID] = mapped_column(PackedUuid)
    stored: Mapped[datetime] = mapped_column(UtcDateTime)  # never before that of a lower position on one node
    authority_id: Mapped[int | None] = mapped_column(BigKey)
    voided: Mapped[bool]
    copied: Mapped[bool]  # made on another node and brought here by sync
    transaction: Mapped[int] = mapped_column(BigKey)  # see `positions.settled`
    raw: Mapped[bytes]


class DictionaryRow(Base):
    """What statements were packed with (`packing`), by the number that stands in each of them."""

    __tablename__ = "xapi_dictionary"

    number: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigKey, unique=True)  # the newest statement it was trained on
    content: Mapped[bytes]


class AgentLink(Base):
    """Statement `position` mentions an agent; `related` where only `related_agents` finds it."""

    __tablename__ = "xapi_agent_link"
    __table_args__ = (
        Index(None, "agent_id", "verb_id", "related", "position"),
        {**_WITHOUT_ROWID, **_IN_PARTS},
    )

    agent_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    related: Mapped[bool] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    verb_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)


class ActivityLink(Base):
    """Statement `position` mentions an activity; `related` where only `related_activities` finds it."""

    __tablename__ = "xapi_activity_link"
    __table_args__ = (
        Index(None, "activity_id", "verb_id", "related", "position"),
        {**_WITHOUT_ROWID, **_IN_PARTS},
    )

    activity_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    related: Mapped[bool] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    verb_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)


class VerbLink(Base):
    """Statement `position`, or one it refers to, has a verb."""

    __tablename__ = "xapi_verb_link"
    __table_args__ = ({**_WITHOUT_ROWID, **_IN_PARTS},)

    verb_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)


class RegistrationLink(Base):
    """Statement `position`, or one it refers to, belongs to a registration."""

    __tablename__ = "xapi_registration_link"
    __table_args__ = ({**_WITHOUT_ROWID, **_IN_PARTS},)

    registration: Mapped[UUID] = mapped_column(PackedUuid, primary_key=True)
    position: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)


class DocumentRow(Base):
    """One state or profile document at its latest change; a deleted one stays as a row without content.

    `scope` is a digest of kind, activity and agent: the columns themselves may be longer than an index takes.
    """

    __tablename__ = "xapi_document"
    __table_args__ = (
        Index(None, "scope", "registration", "name_digest", unique=True),
        Index(None, "agent_digest"),
        _AUTOINCREMENT,
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    position: Mapped[int] = mapped_column(BigKey, unique=True)  # moves to the end with every change
    scope: Mapped[bytes] = mapped_column(LargeBinary(16))
    registration: Mapped[UUID] = mapped_column(PackedUuid)  # the nil UUID where there is none
    name_digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    agent_digest: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    kind: Mapped[str] = mapped_column(Text)
    activity: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)  # stateId or profileId
    content: Mapped[bytes | None]
    content_type: Mapped[str] = mapped_column(Text)
    updated: Mapped[datetime] = mapped_column(UtcDateTime)
    copied: Mapped[bool]
    transaction: Mapped[int] = mapped_column(BigKey)

    @property
    def key(self) -> DocumentKey:
        """What the document is known by."""
        return DocumentKey(
            kind=DocumentKind(self.kind),
            name=self.name,
            activity=self.activity,
            agent=self.agent,
            registration=self.registration if self.registration.int else None,
        )


class AttachmentRow(Base):
    """The bytes of an attachment, once per digest: here, or in a file of the host.

    `size` stands before the content: SQLite reads a row from its beginning. `sha2` is the digest that statements name,
    of any length; `sha256` that by which files travel.
    """

    __tablename__ = "xapi_attachment"

    sha2: Mapped[str] = mapped_column(Text, primary_key=True)
    sha256: Mapped[str] = mapped_column(Text, index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    file: Mapped[str | None] = mapped_column(Text, index=True)
    content: Mapped[bytes | None]


class AttachmentAuthority(Base):
    """Who has brought the bytes of an attachment, and may therefore read them even if he may read only his own."""

    __tablename__ = "xapi_attachment_authority"

    sha2: Mapped[str] = mapped_column(Text, primary_key=True)
    authority_id: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
