"""Sign requests with the node's key, and check them; remember who is in the middle of a conversation.

The signature covers the message line, what it is, and whom it is for; the bytes that follow are bound by the
digests that the line names, so they can be kept as they arrive. A greeting may be replayed: it shows heads,
nothing else. Everything after it names a conversation, a token that only the greeted node can make and that
is good for one peer and one hour of that node's clock: no clock but its own matters.
"""

from __future__ import annotations

import hashlib
import hmac

from sync import identity
from sync.canonical import canonical_json, digest_of
from sync.errors import IdentityError
from sync.identity import NodeKey

CONVERSATION_MS = 60 * 60 * 1000
_SCHEME = "Outpost"


def authorization(key: NodeKey, *, to: str, kind: str, line: bytes) -> str:
    """Return the value of the ``Authorization`` header for a message to a node."""
    return f"{_SCHEME} {key.node}:{key.sign('request', _covered(to, kind, line))}"


def signer_of(header: str) -> str:
    """Return the node that a header says it is from.

    Raises:
        IdentityError: the header is missing or has another form.
    """
    scheme, _, claim = header.partition(" ")
    node, colon, _ = claim.partition(":")
    if scheme != _SCHEME or not colon:
        raise IdentityError("The request is not signed by a node.")
    return node


def check(header: str, *, public_key: str, to: str, kind: str, line: bytes) -> None:
    """Make sure that the holder of ``public_key`` sent this line to this node.

    Raises:
        IdentityError: somebody else did, or to somebody else.
    """
    signature = header.rpartition(":")[2]
    if not identity.verify(public_key, "request", _covered(to, kind, line), signature):
        raise IdentityError("The signature of the request does not fit.")


def conversation_token(key: NodeKey, peer: str, *, now_ms: int) -> str:
    """Return a token that lets a peer go on with what it opened."""
    until = now_ms + CONVERSATION_MS
    return f"{until:x}.{_mac(key, peer, until)}"


def check_token(key: NodeKey, peer: str, token: str, *, now_ms: int) -> None:
    """Make sure that a conversation was opened by this peer, here, within the hour.

    Raises:
        IdentityError: it was not; greet again.
    """
    until, _, mac = token.partition(".")
    try:
        number = int(until, 16)
    except ValueError:
        number = 0
    fresh = now_ms <= number <= now_ms + CONVERSATION_MS
    if not fresh or not hmac.compare_digest(mac, _mac(key, peer, number)):
        raise IdentityError("This conversation is over; greet again.")


def _covered(to: str, kind: str, line: bytes) -> bytes:
    return canonical_json([to, kind, digest_of(line)])


def _mac(key: NodeKey, peer: str, until: int) -> str:
    secret = key.secret_for("conversation")
    return hmac.new(secret, f"{peer}.{until}".encode("ascii"), hashlib.sha256).hexdigest()[:32]
