"""Keep the secrets of other record stores so that the database alone gives none of them away.

They have to be sent, so a digest will not do. They are encrypted with a key derived from the node's own secret,
which is a file beside the database: a copy of the database, or a backup of it, opens nothing. The address and the
key they belong to are sealed in, so that whoever can write to the database cannot have them sent elsewhere.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lms.forwarding.errors import SecretUnreadableError

_PURPOSE = b"outpost: secrets of other record stores"
_NONCE_BYTES = 12


def seal(node_secret: bytes, secret: str, *, endpoint: str, key: str) -> bytes:
    """Return what may be kept of a secret."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(node_secret).encrypt(nonce, secret.encode(), _bound_to(endpoint, key))


def unseal(node_secret: bytes, sealed: bytes, *, endpoint: str, key: str) -> str:
    """Return a secret that was sealed on this node for this address and key.

    Raises:
        SecretUnreadableError: it was sealed elsewhere or for something else, or was damaged.
    """
    nonce, sealed_text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return _cipher(node_secret).decrypt(nonce, sealed_text, _bound_to(endpoint, key)).decode()
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadableError from error


def _cipher(node_secret: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(node_secret))


def _bound_to(endpoint: str, key: str) -> bytes:
    return b"\n".join((endpoint.encode(), key.encode()))
