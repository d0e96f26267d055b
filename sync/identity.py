"""Who a node is: an Ed25519 key made on the node, and papers that others signed about it.

A node's id is derived from its public key, so nobody needs to be asked which key belongs to which id.
Certificates form a chain: the root certifies hubs and laptops, a hub certifies laptops of its own units.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import BaseModel, ValidationError

from sync.canonical import base32, canonical_json
from sync.errors import CertificateError, KeyLostError
from sync.messages import Certificate, Receipt, Signed

KEY_FILE = "node.key"
_LONGEST_CHAIN = 4

Paper = TypeVar("Paper", bound=BaseModel)


class NodeKey:
    """A node's private key. It never leaves the data folder and is never printed."""

    def __init__(self, private: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self._private = private
        self.public_key = self._key.public_key().public_bytes_raw().hex()
        self.node = node_id_of(self.public_key)

    def sign(self, purpose: str, data: bytes) -> str:
        """Return the signature over ``data``, good for this purpose only."""
        return self._key.sign(_bound(purpose, data)).hex()

    def secret_for(self, purpose: str) -> bytes:
        """Return a secret that every process holding this key derives alike."""
        return hashlib.sha256(_bound(purpose, self._private)).digest()

    def agree(self, public: bytes) -> bytes:
        """Return the X25519 secret shared with whoever made *public* (RFC 7748 §6.1), 32 bytes.

        This node's half is the scalar that Ed25519 itself multiplies with (RFC 8032 §5.1.5), so the key that its
        certificate names is the one to seal to. That one key may serve both is shown in IACR ePrint 2021/509.

        Raises:
            ValueError: *public* is no key, or one of the few points that tell the secret to everybody.
        """
        scalar = hashlib.sha512(self._private).digest()[:32]
        return X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(public))


def new_key(*, random: bytes | None = None) -> NodeKey:
    """Make a key; ``random`` gives its 32 bytes where a test needs the same one again."""
    return NodeKey(random or os.urandom(32))


def load_key(folder: Path) -> NodeKey | None:
    """Return the key in a data folder, or ``None`` when there is none."""
    try:
        return NodeKey(bytes.fromhex((folder / KEY_FILE).read_text(encoding="ascii").strip()))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise KeyLostError(f"{folder / KEY_FILE} is damaged; put it back from a backup.") from error


def create_key(folder: Path, *, random: bytes | None = None) -> NodeKey:
    """Make a key and keep it in the data folder, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    private = random or os.urandom(32)
    write_private(folder / KEY_FILE, f"{private.hex()}\n".encode("ascii"))
    return NodeKey(private)


def write_private(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and on the disk when this returns; only its owner may read it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")  # several processes may begin at once
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def node_id_of(public_key: str) -> str:
    """Return the id of the node that holds this key."""
    return base32(hashlib.sha256(bytes.fromhex(public_key)).digest()[:16])


def agreement_key_of(public_key: str) -> bytes:
    """Return the X25519 key of the node that holds this Ed25519 key: the same point on the other curve (RFC 7748 §4.1).

    Raises:
        ValueError: it is a point that has no counterpart.
    """
    y = int.from_bytes(bytes.fromhex(public_key), "little") & (1 << 255) - 1
    u = (1 + y) * pow(1 - y, -1, _FIELD) % _FIELD
    return u.to_bytes(32, "little")


_FIELD = 2**255 - 19


def verify(public_key: str, purpose: str, data: bytes, signature: str) -> bool:
    """Say whether the holder of ``public_key`` signed ``data`` for this purpose."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), _bound(purpose, data))
    except (InvalidSignature, ValueError):
        return False
    return True


# ---------------------------------------------------------------- papers


def sign_paper(key: NodeKey, paper: Certificate | Receipt) -> Signed:
    """Return the paper as signed by this node."""
    text = canonical_json(paper.model_dump(mode="json"))
    return Signed(signer=key.node, text=text.decode("utf-8"), signature=key.sign(paper.paper, text))


@lru_cache(maxsize=4096)  # the same few hundred papers are read for every list and every conversation
def read_certificate(signed: Signed) -> Certificate:
    """Return what a certificate says, without asking who signed it.

    Raises:
        CertificateError: it is no certificate, or its key does not belong to its node.
    """
    certificate = _read(signed, Certificate)
    if node_id_of(certificate.public_key) != certificate.node:
        raise CertificateError(f"The certificate gives node {certificate.node} a key that is not its own.")
    return certificate


def read_receipt(signed: Signed, issuer: Certificate) -> Receipt:
    """Return what a receipt says, once it is sure that its issuer signed it.

    Raises:
        CertificateError: it is no receipt, or somebody else's.
    """
    receipt = _read(signed, Receipt)
    if not receipt.issuer == signed.signer == issuer.node or not verify(
        issuer.public_key, "receipt", signed.text.encode("utf-8"), signed.signature
    ):
        raise CertificateError(f"The receipt was not signed by {receipt.issuer}.")
    return receipt


def trusted(signed: Signed, *, known: Mapping[str, Signed], root: str) -> Certificate:
    """Return what a certificate says, once its chain of signers ends at the root.

    Age is not looked at here: it ends privileges, and only their guards ask for it.

    Args:
        signed: the certificate in question.
        known: certificates by node, among which the signers are looked up.
        root: id of the node that everything rests on.

    Raises:
        CertificateError: a signature, a link of the chain or a right to certify is missing.
    """
    certificate = read_certificate(signed)
    below = certificate
    for _ in range(_LONGEST_CHAIN):
        signer = read_certificate(signed) if signed.signer == below.node else None
        if signer is None and signed.signer in known:
            signer = read_certificate(known[signed.signer])
        if signer is None or signer.node != signed.signer:
            raise CertificateError(f"The signer {signed.signer} of {below.name!r} is not known here.")
        if not verify(signer.public_key, "certificate", signed.text.encode("utf-8"), signed.signature):
            raise CertificateError(f"The certificate of {below.name!r} carries a wrong signature.")
        if signer.node == root:
            return certificate
        if signer.node == below.node or not _may_certify(signer, below):
            break
        signed, below = known[signer.node], signer
    raise CertificateError(f"The certificate of {certificate.name!r} does not lead to this network's root.")


def _may_certify(signer: Certificate, below: Certificate) -> bool:
    if signer.role == "central":
        return True
    inside = "*" in signer.units or set(below.units) <= set(signer.units)
    return signer.role == "hub" and below.role == "laptop" and inside


def _read(signed: Signed, shape: type[Paper]) -> Paper:
    try:
        return shape.model_validate_json(signed.text)
    except ValidationError as error:
        raise CertificateError(
            f"That is no {shape.__name__.lower()}: {error.error_count()} faults."
        ) from None


def _bound(purpose: str, data: bytes) -> bytes:
    # A signature made for one purpose must not be usable for another.
    return b"outpost " + purpose.encode("ascii") + b"\n" + data
