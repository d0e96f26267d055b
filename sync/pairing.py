"""Pairing by a short code: both sides prove that they know it, and neither sends it.

The code has 8 random letters and one that checks typing. Both sides stretch it with scrypt into a key; the
joiner proves it over its own public key, the inviter over both keys and the certificates it gives. Who listens
on the wire learns nothing he could use before the code is spent: 2**40 codes at 50 ms each.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import identity, ledger
from sync.canonical import ALPHABET, canonical_json, plain_code
from sync.errors import PairingError
from sync.identity import NodeKey
from sync.messages import Certificate, Join, Joined, Role, Signed
from sync.node import Node, certificate_of, chain_of, keep_certificate, lock_row, standing
from sync.renewal import LIFE_MS
from sync.tables import InvitationRow, NodeRow

CODE_LIFE_MS = 48 * 60 * 60 * 1000
_LETTERS = 8


def invite(
    session: Session, *, role: Role, units: Sequence[str], now_ms: int, life_ms: int = CODE_LIFE_MS
) -> str:
    """Return a new code, good for one node and ``life_ms``; only a key stretched from it is kept."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(_LETTERS))
    code = letters + _check_letter(letters)
    session.add(
        InvitationRow(
            code_key=stretched(code),
            role=role,
            units=",".join(units),
            created_ms=now_ms,
            expires_ms=now_ms + life_ms,
        )
    )
    session.flush()
    return "-".join((code[:3], code[3:6], code[6:])).upper()


def stretched(code: str) -> bytes:
    """Return the key that both sides make of a code as typed.

    Raises:
        PairingError: it is mistyped; asking the other side would be in vain.
    """
    plain = plain_code(code)
    if len(plain) != _LETTERS + 1 or _check_letter(plain[:-1]) != plain[-1]:
        raise PairingError("That code is mistyped. It has nine letters and digits, like 7KQ-2M4-X9T.")
    return hashlib.scrypt(plain.encode("ascii"), salt=b"outpost pairing 1", n=2**14, r=8, p=1, dklen=32)


def ask_to_join(key: NodeKey, *, name: str, role: Role, code: str) -> tuple[Join, bytes]:
    """Return the joiner's message and the stretched code, with which the answer is checked."""
    code_key = stretched(code)
    nonce = secrets.token_hex(16)
    claim = _claim(key.node, key.public_key, name, role, nonce)
    return Join(
        node=key.node,
        public_key=key.public_key,
        name=name,
        role=role,
        nonce=nonce,
        proof=_proof(code_key, claim),
        signature=key.sign("join", claim),
    ), code_key


def admit(session: Session, node: Node, join: Join) -> Joined:
    """Give a certificate to a node that proves the code. A repeated request gets the same answer again.

    Raises:
        PairingError: no open invitation fits, or the key was withdrawn.
    """
    now_ms = node.clock()
    claim = _claim(join.node, join.public_key, join.name, join.role, join.nonce)
    genuine = identity.node_id_of(join.public_key) == join.node
    if not genuine or not identity.verify(join.public_key, "join", claim, join.signature):
        raise PairingError("The request to join was not signed with the key it names.")
    if ledger.is_revoked(session, join.node):
        raise PairingError("The key of this node was withdrawn. It joins again once it is set up anew.")
    invitation = _invitation_for(session, join, claim, now_ms=now_ms)
    if invitation is None:
        raise PairingError(
            "No open invitation fits this code. It may be spent or too old; ask for a new one."
        )
    if invitation.used_by is None:
        certificate = Certificate(
            node=join.node,
            public_key=join.public_key,
            name=join.name,
            role=join.role,
            units=tuple(unit for unit in invitation.units.split(",") if unit),
            issued_ms=now_ms,
            expires_ms=now_ms + LIFE_MS,
        )
        keep_certificate(session, identity.sign_paper(node.key, certificate))
        ledger.peer_row(session, join.node, now_ms=now_ms)
        invitation.used_by = join.node
        session.flush()
    me = standing(session)
    answer = Joined(
        node=node.id,
        epoch=me.epoch,
        root=me.root or node.id,
        certificates=tuple(chain_of(session, join.node)),
        nonce=join.nonce,
        proof="0" * 64,
    )
    return answer.model_copy(update={"proof": _proof(invitation.code_key, _answer_claim(join, answer))})


def accept(
    session: Session, node: Node, join: Join, joined: Joined, *, code_key: bytes, address: str
) -> None:
    """Take the certificate and pin the network's root; what was made here before stays and is offered up.

    Raises:
        PairingError: whoever answered did not know the code.
    """
    proof = _proof(code_key, _answer_claim(join, joined))
    if not hmac.compare_digest(proof, joined.proof):
        raise PairingError("Whoever answered does not know the code. Nothing was changed.")
    known = {identity.read_certificate(signed).node: signed for signed in joined.certificates}
    if node.id not in known or joined.node not in known:
        raise PairingError("The answer lacks a certificate. Nothing was changed.")
    for signed in joined.certificates:
        identity.trusted(signed, known=known, root=joined.root)
        keep_certificate(session, signed)
    lock_row(session).root = joined.root
    peer = ledger.peer_row(session, joined.node, now_ms=node.clock())
    peer.address = address
    session.flush()


def root_certificate(session: Session) -> Signed | None:
    """Return the certificate of this network's root, if one is known."""
    root = session.get_one(NodeRow, 1).root
    return None if root is None else certificate_of(session, root)


def _invitation_for(session: Session, join: Join, claim: bytes, *, now_ms: int) -> InvitationRow | None:
    lock_row(session)  # a code is good once, also when two ask at the same moment
    for row in session.scalars(select(InvitationRow).where(InvitationRow.expires_ms >= now_ms)):
        fits = hmac.compare_digest(_proof(row.code_key, claim), join.proof)
        if fits and row.used_by in (None, join.node) and row.role == join.role:
            return row
    return None


def _claim(node: str, public_key: str, name: str, role: str, nonce: str) -> bytes:
    return canonical_json(["join", node, public_key, name, role, nonce])


def _answer_claim(join: Join, joined: Joined) -> bytes:
    papers = [[signed.signer, signed.text, signed.signature] for signed in joined.certificates]
    return canonical_json(
        ["joined", join.node, join.public_key, join.nonce, joined.node, joined.epoch, joined.root, papers]
    )


def _proof(code_key: bytes, claim: bytes) -> str:
    return hmac.new(code_key, claim, hashlib.sha256).hexdigest()


def _check_letter(letters: str) -> str:
    total = sum(
        place * ALPHABET.index(letter) for place, letter in enumerate(letters, start=1) if letter in ALPHABET
    )
    return ALPHABET[total % 31]
