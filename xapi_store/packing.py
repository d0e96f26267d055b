"""Statements as they are kept: packed with a dictionary of what this store's statements have in common.

Statements of one store resemble each other: the same courses, verbs and definitions, over and over. A dictionary
trained on some of them lets zstd keep each in about a tenth of its bytes, in 2 µs, and the smaller pages make writing
cheaper than it was. A dictionary is trained once there is something to learn from, again as the store changes, and
is kept for ever: what was packed with it needs it. Until the first, statements are kept as they are.
"""

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import zstandard
from sqlalchemy import Connection, bindparam, delete, select, text, update
from sqlalchemy.orm import Session

from xapi_store.tables import DictionaryRow, Prepared, StatementRow, insert_or_ignore

FIRST_AT = 1_000  # statements: from fewer there is little to learn
AGAIN_AFTER = 100_000
SAMPLES = 2_000
DICTIONARY_BYTES = 32 * 1024
LEVEL = 3

_PLAIN = b"{"  # how JSON objects begin, and no frame of zstd


class _Packers(threading.local):
    """A thread's packers and unpackers, by the number of their dictionary; zstd lets no two threads share one."""

    def __init__(self) -> None:
        self.packers: dict[int, zstandard.ZstdCompressor] = {}
        self.unpackers: dict[int, zstandard.ZstdDecompressor] = {}


_mine = _Packers()
_known: dict[int, zstandard.ZstdCompressionDict] = {}


def pack(connection: Connection, texts: Iterable[bytes]) -> list[bytes]:
    """Return statements as they are kept."""
    newest = _NEWEST.first(connection)
    if newest is None:
        return list(texts)
    number, _ = newest
    packer = _mine.packers.get(number)
    if packer is None:
        packer = _mine.packers[number] = _packer(_dictionary(connection, number))
    return [packer.compress(text) for text in texts]


def unpack(connection: Connection, kept: bytes) -> bytes:
    """Return a statement as it was before it was packed."""
    if kept.startswith(_PLAIN):
        return kept
    number = zstandard.get_frame_parameters(kept).dict_id
    unpacker = _mine.unpackers.get(number)
    if unpacker is None:
        unpacker = _mine.unpackers[number] = zstandard.ZstdDecompressor(
            dict_data=_dictionary(connection, number)
        )
    return unpacker.decompress(kept)


def training_is_due(session: Session) -> bool:
    """Say whether the store has statements enough for a first dictionary, or has changed since the last."""
    connection = session.connection()
    newest, last = _POSITION.first(connection), _NEWEST.first(connection)
    if newest is None:
        return False
    return bool(newest[0] >= (FIRST_AT if last is None else last[1] + AGAIN_AFTER))


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """A dictionary, and the position of the newest statement it was trained on."""

    number: int
    position: int
    content: bytes


def train(session: Session) -> Trained:
    """Train a dictionary on the newest statements: a few tenths of a second, and nothing written yet."""
    connection = session.connection()
    newest = _SAMPLES.rows(connection, count=SAMPLES)
    texts: list[bytes | bytearray | memoryview[int]] = [unpack(connection, raw) for _, raw in newest]
    trained = zstandard.train_dictionary(DICTIONARY_BYTES, texts)
    return Trained(number=trained.dict_id(), position=newest[0][0], content=trained.as_bytes())


def keep_dictionary(session: Session, trained: Trained) -> None:
    """Pack new statements with a dictionary from now on."""
    _TRAINED.change(session.connection(), [(trained.number, trained.position, trained.content)])


def dictionaries_with(session: Session, texts: Iterable[str]) -> list[int]:
    """Return the numbers of the dictionaries that hold one of some texts, as pieces of statements they learnt from."""
    wanted = [text.encode() for text in texts if text]
    rows = session.execute(select(DictionaryRow.number, DictionaryRow.content))
    return [number for number, content in rows if any(text in content for text in wanted)]


def train_another(session: Session) -> Trained:
    """Train a dictionary on what is here now, however little that is."""
    samples = [
        unpack(session.connection(), raw) for _, raw in _SAMPLES.rows(session.connection(), count=SAMPLES)
    ]
    (newest,) = _HIGHEST.first(session.connection()) or (0,)
    # With too few samples zstd learns nothing: what any statement looks like fills them up.
    samples += [
        b'{"id":"%032x","actor":{"account":{"homePage":"https://","name":""}},"verb":{"id":"http://adlnet.gov/expapi'
        b'/verbs/"},"object":{"id":"https://"},"timestamp":"%d","version":"1.0.0"}' % (number**9, number**5)
        for number in range(SAMPLES)
    ]
    texts: list[bytes | bytearray | memoryview[int]] = [*samples]
    trained = zstandard.train_dictionary(DICTIONARY_BYTES, texts)
    return Trained(number=trained.dict_id(), position=newest + 1, content=trained.as_bytes())


def pack_anew(session: Session, numbers: Collection[int], *, after: int, limit: int) -> int | None:
    """Pack the next statements behind a position anew that need some dictionaries; return how far that is.

    `None` at the end, where the dictionaries are gone; nobody can have packed with them since a newer one is there.

    Raises:
        ValueError: the newest is among them, and it is what everything is packed with.
    """
    connection = session.connection()
    newest = _NEWEST.first(connection)
    if newest is None or newest[0] in numbers:
        raise ValueError("what is packed anew needs a dictionary that stays")
    if connection.dialect.name != "sqlite":
        session.execute(text(f"LOCK TABLE {StatementRow.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))
    query = select(StatementRow.position, StatementRow.raw).where(StatementRow.position > after)
    rows = session.execute(query.order_by(StatementRow.position).limit(limit)).all()
    old = [(row.position, unpack(connection, row.raw)) for row in rows if _dictionary_of(row.raw) in numbers]
    for (position, _), raw in zip(old, pack(connection, [raw for _, raw in old]), strict=True):
        session.execute(update(StatementRow).where(StatementRow.position == position).values(raw=raw))
    if len(rows) == limit:
        return int(rows[-1].position)
    session.execute(delete(DictionaryRow).where(DictionaryRow.number.in_(numbers)))
    return None


def _dictionary_of(kept: bytes) -> int:
    return 0 if kept.startswith(_PLAIN) else zstandard.get_frame_parameters(kept).dict_id


_POSITION = Prepared(select(StatementRow.position).order_by(StatementRow.position.desc()).limit(1))
_SAMPLES = Prepared(
    select(StatementRow.position, StatementRow.raw)
    .order_by(StatementRow.position.desc())
    .limit(bindparam("count"))
)
_NEWEST = Prepared(
    select(DictionaryRow.number, DictionaryRow.position).order_by(DictionaryRow.position.desc()).limit(1)
)
_HIGHEST = Prepared(select(DictionaryRow.position).order_by(DictionaryRow.position.desc()).limit(1))
_CONTENT = Prepared(select(DictionaryRow.content).where(DictionaryRow.number == bindparam("number")))
_TRAINED = insert_or_ignore(DictionaryRow, columns=("number", "position", "content"))


def _packer(dictionary: zstandard.ZstdCompressionDict) -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary, write_checksum=True)


def _dictionary(connection: Connection, number: int) -> zstandard.ZstdCompressionDict:
    known = _known.get(number)
    if known is None:
        ((content,),) = _CONTENT.rows(connection, number=number)
        known = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_FULLDICT)
        known.precompute_compress(level=LEVEL)
        _known[number] = known
    return known
