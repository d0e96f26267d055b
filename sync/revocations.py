"""The one stream that is sync's own: which keys are no longer trusted, and how far what they signed still is.

These are two records. Every program heeds ``revocation``; older ones keep ``trust``, which they do not know, until they
are upgraded. It comes first, so that whoever knows it never takes a node for revoked and trusted without end.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, ValidationError
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from sync import quarantine, scopes, trust
from sync.canonical import canonical_json
from sync.errors import RevocationError
from sync.messages import Counted, Epoch, Record, Root, Scope, Wire
from sync.node import Node, Standing, lock_row, standing
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.tables import RevocationRow
from sync.trust import TrustedLog

REVOCATION = "revocation"
TRUST = "trust"

_MADE_HERE = select(func.count()).where(
    RevocationRow.position > bindparam("position"), RevocationRow.made_here
)


class Revocation(Wire):
    """Body of a revocation."""

    reason: str
    revoked_ms: Counted


class Trust(Revocation):
    """Body of what is said of a withdrawn node's logs.

    Of each that is trusted in part: its epoch and scope, the last entry that is, and the number and root at the end of
    the segment in which that entry lies. Others are not trusted at all.
    """

    trusted: tuple[tuple[Epoch, Scope, Annotated[int, Field(ge=1)], Counted, Root], ...]


def may_revoke(role: str, node: str, *, root: str | None) -> bool:
    """Say whether a node may withdraw keys: the root, be it a hub, and the centres that it certified."""
    return node == root or role == "central"


def revoke(
    session: Session, node: Node, revoked: str, *, reason: str, trusted: Sequence[TrustedLog] | None = None
) -> None:
    """Withdraw trust in a node's key; other nodes learn it first of all things. Said again, the newer answer counts.

    Args:
        session: of the caller's transaction. ``quarantine.retry_waiting`` afterwards takes what is trusted anew.
        node: the one that revokes.
        revoked: id of the other.
        reason: for the record.
        trusted: what it wrote that is taken; if left out, what is held here as it is first revoked.

    Raises:
        RevocationError: this node may not, or the other is the root or this node itself.
    """
    me = standing(session)
    if not may_revoke(me.certificate.role, node.id, root=me.root):
        raise RevocationError("Only the centre of this network withdraws keys.")
    if revoked in {me.root, node.id}:
        raise RevocationError("The key on which this network rests cannot be withdrawn.")
    lock_row(session)  # of two that revoke at one moment, one is the later
    present = trust.revocation_of(session, revoked)
    if present is not None and trusted is None:
        return
    text = trust.as_text(trust.held_now(session, revoked) if trusted is None else trusted)
    if present is not None and (present.trusted, present.reason) == (text, reason):
        return
    revoked_ms = max(node.clock(), present.revoked_ms + 1 if present is not None else 0)
    told = Revocation(reason=reason, revoked_ms=revoked_ms)
    _keep(session, revoked, told, text, revoker=node.id, here=True)
    if present is None:
        _keep(session, revoked, told, None, revoker=node.id, here=True)


class Revocations:
    """Carries revocations down, ahead of everything else."""

    name = "revocations"
    kinds = frozenset({REVOCATION, TRUST})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Return revocations made here."""
        rows = session.scalars(
            select(RevocationRow)
            .where(RevocationRow.position > position, RevocationRow.made_here)
            .order_by(RevocationRow.position)
            .limit(limit)
        ).all()
        if not rows:
            return Changes(changes=[], position=position)
        scope = own_scope(standing(session))
        changes = [
            Change(
                kind=REVOCATION if row.trusted is None else TRUST,
                key=row.node,
                scope=scope,
                schema=1,
                body=_body(row),
                changed_ms=row.revoked_ms,
                position=row.position,
            )
            for row in rows
        ]
        return Changes(changes=changes, position=rows[-1].position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count revocations made here after a position."""
        count = session.connection().scalar(_MADE_HERE, {"position": position})
        return {REVOCATION: count} if count else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take revocations made by those who may."""
        return [self._apply_one(session, record, context) for record in records]

    def _apply_one(self, session: Session, record: Record, context: Context) -> Outcome:
        if record.schema != 1:
            return Outcome(verdict=Verdict.WAITING, reason="schema", detail="a newer form of revocation")
        root = standing(session).root
        allowed = context.is_authority and may_revoke(context.role, context.origin, root=root)
        if not allowed or record.key == root:
            return Outcome(verdict=Verdict.REFUSED, reason="right", detail="only the root revokes keys")
        try:
            told = (Trust if record.kind == TRUST else Revocation).model_validate_json(record.body)
        except ValidationError as error:
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error)[:500])
        text = trust.as_text(trust.from_rows(told.trusted)) if isinstance(told, Trust) else None
        if _is_known(session, record.key, told, text, revoker=context.origin):
            return PRESENT
        _keep(session, record.key, told, text, revoker=context.origin, here=False)
        return APPLIED


def own_scope(me: Standing) -> str:
    """Return the scope of what is revoked or ordered here: a hub writes for units only, and stands as one itself."""
    own = me.certificate.node if me.certificate.role == "hub" else None
    return scopes.scope_for(scopes.REVOCATIONS, own)


def _body(row: RevocationRow) -> bytes:
    told = {"reason": row.reason, "revoked_ms": row.revoked_ms}
    return canonical_json(told if row.trusted is None else {**told, "trusted": json.loads(row.trusted)})


def _is_known(session: Session, node: str, told: Revocation, text: str | None, *, revoker: str) -> bool:
    same = select(RevocationRow).where(
        RevocationRow.node == node,
        RevocationRow.revoked_ms == told.revoked_ms,
        RevocationRow.revoker == revoker,
        RevocationRow.reason == told.reason,
        RevocationRow.trusted.is_not_distinct_from(text),
    )
    return session.scalars(same.limit(1)).first() is not None


def _keep(
    session: Session, node: str, told: Revocation, text: str | None, *, revoker: str, here: bool
) -> None:
    session.add(
        RevocationRow(
            node=node,
            reason=told.reason,
            revoked_ms=told.revoked_ms,
            revoker=revoker,
            trusted=text,
            made_here=here,
        )
    )
    session.flush()
    quarantine.judge_anew(session, node)
