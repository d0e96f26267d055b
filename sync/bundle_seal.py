"""The envelope of a bundle: who wrote it, for whom, and the sealed bytes inside, whatever they are.

Layout of a file, numbers big-endian::

    8 bytes   "OUTPOSTB"
    2 bytes   version of all that follows, 1
    2 bytes   length of the header
    header    canonical JSON, see ``Header``
    64 bytes  Ed25519 signature of the header by its writer, for the purpose "bundle"
    pieces    the content, sealed in pieces of 65,536 bytes; only the last is shorter:
                  4 bytes   number of the piece from 0; the highest bit marks the last one
                  n bytes   ChaCha20-Poly1305 (RFC 8439) of the piece; nonce: the number in 11 bytes, then 1 for the
                            last one, 0 for the others; no associated data
                  16 bytes  its tag
    64 bytes  signature, for the purpose "bundle-end", of the SHA-256 of every byte before it

A file key of 32 random bytes is sealed to every recipient: X25519 of a key made for this file with the key that the
recipient's certificate names (``identity.agreement_key_of``), through HKDF-SHA256 with both public keys as salt and
"outpost bundle 1 wrap" as info, opens ChaCha20-Poly1305 with a nonce of zeros. The pieces' key is HKDF-SHA256 of the
file key with the SHA-256 of the header as salt and "outpost bundle 1 content" as info. So a piece that is changed,
missing, moved or repeated is seen, and a header fits no other content.

Every recipient can read the file key; the signature at the end is what keeps one from writing in another's name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field, ValidationError

from sync.canonical import canonical_json
from sync.errors import BundleError
from sync.identity import NodeKey, agreement_key_of, node_id_of, verify
from sync.messages import Certificate, Counted, NodeId, Wire

VERSION = 1
PIECE_BYTES = 64 * 1024
MOST_RECIPIENTS = 200
MOST_PARTS = 9999

_MAGIC = b"OUTPOSTB"
_PRELUDE_BYTES = len(_MAGIC) + 4
_SIGNATURE_BYTES = 64
_TAG_BYTES = 16
_NUMBER_BYTES = 4
_LAST = 1 << 31
_ROOM_BYTES = _NUMBER_BYTES + _TAG_BYTES  # what a piece takes beyond its content

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Header(Wire):
    """What stands in the clear, signed by the writer: ids and sizes, nothing about people.

    Attributes:
        set: random name of the bundle; all its parts share it.
        part: place of this file among ``parts``, from 1.
        writer: the node that wrote it, whose id follows from ``key``.
        made_ms: when, by the writer's clock.
        size: bytes of content in this part.
        ephemeral: X25519 key made for this file.
        recipients: ids of the nodes that can open it, each with the file key sealed to it.
    """

    set: NodeId
    part: Annotated[int, Field(ge=1, le=MOST_PARTS)]
    parts: Annotated[int, Field(ge=1, le=MOST_PARTS)]
    writer: NodeId
    key: Key
    made_ms: Counted
    size: Annotated[int, Field(ge=1, le=2**46)]
    ephemeral: Key
    recipients: Annotated[
        tuple[tuple[NodeId, Annotated[str, Field(pattern=r"^[0-9a-f]{96}$")]], ...],
        Field(min_length=1, max_length=MOST_RECIPIENTS),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """The beginning of one file, read and its signature checked."""

    header: Header
    beginning: bytes

    @property
    def file_size(self) -> int:
        """Return how long the whole file must be."""
        return len(self.beginning) + sealed_size(self.header.size)


# ---------------------------------------------------------------- writing


class Sealer:
    """Writes one file: the envelope at once, then the content as it is given.

    Args:
        write: takes every byte of the file, in order.
        template: the header but for the two fields that are made here.
        recipients: who can open it.
        new_secret: gives 32 random bytes, twice.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        key: NodeKey,
        template: Header,
        recipients: Sequence[Certificate],
        *,
        new_secret: Callable[[], bytes] = lambda: os.urandom(32),
    ) -> None:
        file_key = new_secret()
        header = _addressed(template, recipients, X25519PrivateKey.from_private_bytes(new_secret()), file_key)
        text = canonical_json(header.model_dump(mode="json"))
        self._out = write
        self._key = key
        self._cipher = _content_cipher(file_key, text)
        self._hash = hashlib.sha256()
        self._buffer = bytearray()
        self._number = 0
        self._left = header.size
        self._write(_prelude(text) + text + bytes.fromhex(key.sign("bundle", text)))

    def write(self, data: bytes) -> None:
        """Seal the bytes that come next."""
        self._buffer += data
        while len(self._buffer) >= PIECE_BYTES and self._left > PIECE_BYTES:
            self._seal(PIECE_BYTES)

    def close(self) -> None:
        """Seal the rest and sign all of it.

        Raises:
            BundleError: the content is not as long as its header says.
        """
        if len(self._buffer) != self._left:
            raise BundleError("changed", "What was to be written changed meanwhile. Write it again.")
        self._seal(len(self._buffer), last=True)
        self._out(bytes.fromhex(self._key.sign("bundle-end", self._hash.digest())))

    def _seal(self, length: int, *, last: bool = False) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last=last), bytes(self._buffer[:length]), None)
        del self._buffer[:length]
        self._write((self._number | _LAST * last).to_bytes(_NUMBER_BYTES, "big") + sealed)
        self._number += 1
        self._left -= length

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        self._out(data)


def sealed_size(size: int) -> int:
    """Return how many bytes so much content takes, with the signature at the end."""
    return size + _pieces(size) * _ROOM_BYTES + _SIGNATURE_BYTES


def content_room(template: Header, recipients: Sequence[Certificate], *, most_bytes: int) -> int:
    """Return how much content a file of at most ``most_bytes`` can hold."""
    widest = template.model_copy(
        update={
            "part": MOST_PARTS,
            "parts": MOST_PARTS,
            "size": 2**46,
            "ephemeral": "0" * 64,
            "recipients": tuple((one.node, "0" * 96) for one in recipients),
        }
    )
    text = canonical_json(widest.model_dump(mode="json"))
    left = most_bytes - len(_prelude(text)) - len(text) - 2 * _SIGNATURE_BYTES
    whole, rest = divmod(left, PIECE_BYTES + _ROOM_BYTES)
    return max(0, whole * PIECE_BYTES + max(0, rest - _ROOM_BYTES))


# ---------------------------------------------------------------- reading


def read_envelope(file: BinaryIO) -> Envelope:
    """Read the beginning of a file that may be anything.

    Raises:
        BundleError: ``not_a_bundle``, ``version``, ``cut`` or ``header``.
    """
    prelude = file.read(_PRELUDE_BYTES)
    if prelude[: len(_MAGIC)] != _MAGIC[: len(prelude)] or not prelude:
        raise BundleError("not_a_bundle", "This file is no bundle of an Outpost node.")
    if len(prelude) < _PRELUDE_BYTES:
        raise _cut()
    version, length = int.from_bytes(prelude[8:10], "big"), int.from_bytes(prelude[10:12], "big")
    if version != VERSION:
        raise BundleError(
            "version",
            f"This bundle is of form {version}, and this program reads form {VERSION}. Update this node.",
        )
    text, signature = file.read(length), file.read(_SIGNATURE_BYTES)
    if len(signature) < _SIGNATURE_BYTES:
        raise _cut()
    try:
        header = Header.model_validate_json(text)
    except ValidationError:
        raise _altered() from None
    genuine = node_id_of(header.key) == header.writer and header.part <= header.parts
    if not genuine or not verify(header.key, "bundle", text, signature.hex()):
        raise _altered()
    return Envelope(header=header, beginning=prelude + text + signature)


def check_length(envelope: Envelope, length: int) -> None:
    """Make sure that a file is as long as its header says.

    Raises:
        BundleError: ``cut`` or ``grown``.
    """
    if length < envelope.file_size:
        raise _cut()
    if length > envelope.file_size:
        raise BundleError("grown", "Something was added to this file after it was written. Copy it again.")


def opened_pieces(file: BinaryIO, envelope: Envelope, key: NodeKey) -> Iterator[bytes]:
    """Return the content, piece by piece; each is what the writer sealed, and the last one says so for all.

    Raises:
        BundleError: ``not_for_us``, ``cut``, ``repeated``, ``out_of_order`` or ``damaged``. The signature over the
            whole is looked at after the last piece: only then was it the writer who wrote all this.
    """
    cipher = _content_cipher(_file_key(envelope.header, key), _text_of(envelope))
    file.seek(len(envelope.beginning))
    digest = hashlib.sha256(envelope.beginning)
    left, pieces = envelope.header.size, _pieces(envelope.header.size)
    for number in range(pieces):
        last = number == pieces - 1
        length = min(left, PIECE_BYTES)
        piece = file.read(length + _ROOM_BYTES)
        if len(piece) < length + _ROOM_BYTES:
            raise _cut()
        digest.update(piece)
        _check_number(int.from_bytes(piece[:_NUMBER_BYTES], "big"), number, last=last)
        try:
            plain = cipher.decrypt(_nonce(number, last=last), piece[_NUMBER_BYTES:], None)
        except InvalidTag:
            raise _damaged() from None
        left -= length
        yield plain
    signature = file.read(_SIGNATURE_BYTES)
    if not verify(envelope.header.key, "bundle-end", digest.digest(), signature.hex()):
        raise _damaged()


def _check_number(found: int, number: int, *, last: bool) -> None:
    expected = number | _LAST * last
    if found == expected:
        return
    place = found & ~_LAST
    if place < number:
        raise BundleError(
            "repeated", "A piece of this file stands in it twice. Copy it again from its source."
        )
    if place > number:
        raise BundleError(
            "out_of_order", "The pieces of this file are not in their order. Copy it again from its source."
        )
    raise _damaged()


def _file_key(header: Header, key: NodeKey) -> bytes:
    wrapped = dict(header.recipients).get(key.node)
    if wrapped is None:
        raise BundleError("not_for_us", "This bundle is sealed for other nodes; this one cannot open it.")
    try:
        public = bytes.fromhex(header.ephemeral)
        cipher = _wrap_cipher(key.agree(public), public, agreement_key_of(key.public_key))
        return cipher.decrypt(bytes(12), bytes.fromhex(wrapped), None)
    except (InvalidTag, ValueError):
        raise BundleError(
            "not_for_us",
            "This bundle names this node, but was sealed with another key. Have it written anew.",
        ) from None


# ---------------------------------------------------------------- keys


def _addressed(
    template: Header, recipients: Sequence[Certificate], ephemeral: X25519PrivateKey, file_key: bytes
) -> Header:
    public = ephemeral.public_key().public_bytes_raw()
    wrapped = []
    for one in recipients:
        try:
            theirs = agreement_key_of(one.public_key)
            shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(theirs))
        except ValueError:
            raise BundleError("recipient", f"Nothing can be sealed to the key of {one.name!r}.") from None
        cipher = _wrap_cipher(shared, public, theirs)
        wrapped.append((one.node, cipher.encrypt(bytes(12), file_key, None).hex()))
    return template.model_copy(update={"ephemeral": public.hex(), "recipients": tuple(wrapped)})


def _wrap_cipher(shared: bytes, ephemeral: bytes, recipient: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(_derived(shared, salt=ephemeral + recipient, info=b"outpost bundle 1 wrap"))


def _content_cipher(file_key: bytes, header: bytes) -> ChaCha20Poly1305:
    salt = hashlib.sha256(header).digest()
    return ChaCha20Poly1305(_derived(file_key, salt=salt, info=b"outpost bundle 1 content"))


def _derived(secret: bytes, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _pieces(size: int) -> int:
    return -(-size // PIECE_BYTES)


def _prelude(text: bytes) -> bytes:
    return _MAGIC + VERSION.to_bytes(2, "big") + len(text).to_bytes(2, "big")


def _text_of(envelope: Envelope) -> bytes:
    return envelope.beginning[_PRELUDE_BYTES:-_SIGNATURE_BYTES]


def _cut() -> BundleError:
    return BundleError("cut", "This file ends too early. Copy it again from where it was written.")


def _altered() -> BundleError:
    return BundleError("header", "The beginning of this file was altered after its node signed it.")


def _damaged() -> BundleError:
    return BundleError(
        "damaged", "This file is not as its node wrote it. Copy it again, or have it written anew."
    )
