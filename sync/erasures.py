"""Orders to erase somebody everywhere: given at the centre, carried out on every node, confirmed by each.

Two streams: orders come down ahead of everything else, confirmations go up. What an order asks of a node is done in
steps that may be interrupted anywhere, by ``carry_out_some``; what arrives meanwhile is blacked out already.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, ValidationError
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from sync import blackout, identity, log, scopes
from sync.blackout import DONE, LOOKED, ORDERED, SWEPT
from sync.canonical import base32, canonical_json
from sync.clock import Stamp
from sync.errors import RevocationError
from sync.messages import Counted, Digest, OrderId, Record, Wire
from sync.node import Node, known_certificates, lock_row, revoked_nodes, standing
from sync.ports import APPLIED, PRESENT, Change, Changes, Context, Outcome, Verdict
from sync.revocations import may_revoke, own_scope
from sync.tables import ErasureDoneRow, ErasureRow, PartRow, PeerRow, QuarantineRow, RefusedRow

ERASURE = "erasure"
ERASURE_DONE = "erasure-done"
_ROWS_AT_ONCE = 200


class Order(Wire):
    """Body of an order; ``subject`` is a digest."""

    subject: Digest
    ordered_ms: Counted
    reason: str = Field(max_length=2000)


class Done(Wire):
    """Body of a confirmation."""

    done_ms: Counted


class _OrderKey(Wire):
    id: OrderId


def may_order(session: Session, node: Node) -> bool:
    """Say whether this node may have somebody erased: the root, and the centres that it certified."""
    me = standing(session)
    return may_revoke(me.certificate.role, node.id, root=me.root)


def order(session: Session, node: Node, name: str, *, reason: str) -> str:
    """Have somebody erased on every node; nothing takes that back.

    Args:
        session: of the caller's transaction; :func:`carry_out_some` afterwards does it here.
        node: the one that orders.
        name: by which the host knows the subject; it is not kept.
        reason: for the record, on every node.

    Returns:
        The order's id.

    Raises:
        RevocationError: this node may not.
    """
    if not may_order(session, node):
        raise RevocationError("Only the centre of this network has people erased.")
    lock_row(session)  # of two orders at one moment, one is the later
    made = ErasureRow(
        order_id=base32(secrets.token_bytes(16)),
        subject=blackout.subject_of(name),
        ordered_ms=node.clock(),
        orderer=node.id,
        reason=reason,
        made_here=True,
    )
    session.add(made)
    session.flush()
    return made.order_id


# ---------------------------------------------------------------- streams


class Erasures:
    """Carries orders down, ahead of everything but revocations."""

    name = "erasures"
    kinds = frozenset({ERASURE})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Return orders given here."""
        row = ErasureRow
        query = select(row).where(row.position > position, row.made_here).order_by(row.position)
        rows = session.scalars(query.limit(limit)).all()
        if not rows:
            return Changes(changes=[], position=position)
        scope = own_scope(standing(session))
        changes = [
            Change(
                kind=ERASURE,
                key=one.order_id,
                scope=scope,
                schema=1,
                body=canonical_json(
                    {"subject": one.subject, "ordered_ms": one.ordered_ms, "reason": one.reason}
                ),
                changed_ms=one.ordered_ms,
                position=one.position,
            )
            for one in rows
        ]
        return Changes(changes=changes, position=rows[-1].position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count orders given here after a position."""
        count = session.connection().scalar(_ORDERED_HERE, {"position": position})
        return {ERASURE: count} if count else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take orders by those who may give them."""
        return [self._apply_one(session, record, context) for record in records]

    def _apply_one(self, session: Session, record: Record, context: Context) -> Outcome:
        if record.schema != 1:
            return Outcome(verdict=Verdict.WAITING, reason="schema", detail="a newer form of order")
        root = standing(session).root
        if not (context.is_authority and may_revoke(context.role, context.origin, root=root)):
            return Outcome(verdict=Verdict.REFUSED, reason="right", detail="only the root has people erased")
        try:
            _OrderKey(id=record.key)
            told = Order.model_validate_json(record.body)
        except ValidationError as error:
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error)[:500])
        if _is_known(session, record.key):
            return PRESENT
        session.add(
            ErasureRow(
                order_id=record.key,
                subject=told.subject,
                ordered_ms=told.ordered_ms,
                orderer=context.origin,
                reason=told.reason,
                made_here=False,
            )
        )
        session.flush()
        return APPLIED


class Confirmations:
    """Carries up who has carried out which order."""

    name = "confirmations"
    kinds = frozenset({ERASURE_DONE})

    def changes_after(self, session: Session, position: int, limit: int) -> Changes:
        """Return what this node has confirmed."""
        row = ErasureDoneRow
        query = select(row).where(row.position > position, row.made_here).order_by(row.position)
        rows = session.scalars(query.limit(limit)).all()
        changes = [
            Change(
                kind=ERASURE_DONE,
                key=one.order_id,
                scope=scopes.UP,
                schema=1,
                body=canonical_json({"done_ms": one.done_ms}),
                changed_ms=one.done_ms,
                position=one.position,
            )
            for one in rows
        ]
        return Changes(changes=changes, position=rows[-1].position if rows else position)

    def waiting(self, session: Session, position: int) -> dict[str, int]:
        """Count what this node has confirmed after a position."""
        count = session.connection().scalar(_CONFIRMED_HERE, {"position": position})
        return {ERASURE_DONE: count} if count else {}

    def apply(self, session: Session, records: Sequence[Record], context: Context) -> Sequence[Outcome]:
        """Take what nodes say of themselves; nobody can say it for another."""
        return [self._apply_one(session, record, context) for record in records]

    def _apply_one(self, session: Session, record: Record, context: Context) -> Outcome:
        if record.schema != 1:
            return Outcome(verdict=Verdict.WAITING, reason="schema", detail="a newer form of confirmation")
        try:
            _OrderKey(id=record.key)
            told = Done.model_validate_json(record.body)
        except ValidationError as error:
            return Outcome(verdict=Verdict.REFUSED, reason="malformed", detail=str(error)[:500])
        if _is_confirmed(session, record.key, context.origin, context.epoch):
            return PRESENT
        _keep_done(session, record.key, context.origin, context.epoch, told.done_ms, here=False)
        return APPLIED


_ORDERED_HERE = select(func.count()).where(ErasureRow.position > bindparam("position"), ErasureRow.made_here)
_CONFIRMED_HERE = select(func.count()).where(
    ErasureDoneRow.position > bindparam("position"), ErasureDoneRow.made_here
)


# ---------------------------------------------------------------- carrying out


def carry_out_some(node: Node) -> bool:
    """Do the next step of what orders ask of this node, and confirm what is done; return whether more is left.

    Each step is short and may be done again; the worker calls it until nothing is left.
    """
    with node.read() as session:
        due = session.scalars(
            select(ErasureRow).where(ErasureRow.stage != DONE).order_by(ErasureRow.position).limit(1)
        ).first()
        unconfirmed = [] if due is not None else _unconfirmed(session, node)
        to_sign = log.blacked_out_by_withdrawn(session, limit=blackout.SEGMENTS_AT_ONCE)
    if due is not None:
        _carry_out(node, due)
    elif unconfirmed:
        _confirm(node)
    if to_sign:
        blackout.sign_anew(node, to_sign)
    return bool(to_sign) or due is not None


def _carry_out(node: Node, due: ErasureRow) -> None:
    if due.stage == ORDERED:
        _sweep(node)
        _go_on(node, due, SWEPT, None)
    elif due.stage == SWEPT:
        place = blackout.black_out_some(node, None if due.place is None else tuple(json.loads(due.place)))
        _go_on(node, due, LOOKED if place is None else SWEPT, place)
    elif node.erasure is None or not node.erasure.erase_some(due.subject):
        _go_on(node, due, DONE, None)


def _go_on(node: Node, due: ErasureRow, stage: str, place: blackout.Place | None) -> None:
    with node.write() as session:
        row = session.get_one(ErasureRow, due.position, with_for_update=True)
        row.stage, row.place = stage, None if place is None else json.dumps(place)


def _sweep(node: Node) -> None:
    """Drop what no log holds: segments on their way, what was refused, what waits or was kept aside."""
    after = 0
    while True:
        with node.write() as session:
            orders = blackout.orders_by_subject(session)
            rows = session.scalars(
                select(QuarantineRow)
                .where(QuarantineRow.id > after)
                .order_by(QuarantineRow.id)
                .limit(_ROWS_AT_ONCE)
            ).all()
            for row in rows:
                if blackout.concerned(node, [_record(row)], orders):
                    session.delete(row)
        if not rows:
            break
        after = rows[-1].id
    with node.write() as session:
        orders = blackout.orders_by_subject(session)
        session.execute(delete(PartRow))
        for refused in session.scalars(select(RefusedRow)):
            if refused.encoded and blackout.is_about(node, refused.encoded, orders):
                refused.encoded = b""


def _record(row: QuarantineRow) -> Record:
    stamp = Stamp(row.wall_ms, row.counter)
    return Record(seq=row.seq, kind=row.kind, key=row.key, schema=row.schema, body=row.body, stamp=stamp)


def _unconfirmed(session: Session, node: Node) -> list[str]:
    """Return the orders that are carried out here, and of which this life of the node has not said so."""
    epoch = standing(session).epoch
    row = ErasureDoneRow
    said = select(row.order_id).where(row.node == node.id, row.epoch == epoch)
    done = select(ErasureRow.order_id).where(ErasureRow.stage == DONE, ErasureRow.order_id.not_in(said))
    return list(session.scalars(done.order_by(ErasureRow.position)))


def _confirm(node: Node) -> None:
    with node.write() as session:
        lock_row(session)
        epoch = standing(session).epoch
        for one in _unconfirmed(session, node):
            _keep_done(session, one, node.id, epoch, node.clock(), here=True)


# ---------------------------------------------------------------- who has confirmed


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """One node and one order; ``done_ms`` is ``None`` where it has not confirmed, or did so before it was put back."""

    node: str
    name: str
    role: str
    done_ms: int | None
    last_seen_ms: int | None
    withdrawn: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordered:
    """One order, and what all nodes that are known here have said to it, by name."""

    id: str
    ordered_ms: int
    orderer: str
    reason: str
    nodes: Sequence[Confirmation]

    @property
    def outstanding(self) -> Sequence[Confirmation]:
        """Return the nodes that have not confirmed."""
        return [one for one in self.nodes if one.done_ms is None]


def ordered(session: Session, node: Node) -> list[Ordered]:
    """Return all orders, the newest first, and who has confirmed each."""
    me = standing(session)
    certificates = {
        one: identity.read_certificate(signed) for one, signed in known_certificates(session).items()
    }
    peers = {row.node: row for row in session.scalars(select(PeerRow))}
    lives = {one: row.epoch for one, row in peers.items()} | {node.id: me.epoch}
    withdrawn = revoked_nodes(session)
    done: dict[tuple[str, str], int] = {}
    for row in session.scalars(select(ErasureDoneRow)):
        if lives.get(row.node) in {None, row.epoch}:
            done[row.order_id, row.node] = max(row.done_ms, done.get((row.order_id, row.node), 0))
    return [
        Ordered(
            id=one.order_id,
            ordered_ms=one.ordered_ms,
            orderer=certificates[one.orderer].name if one.orderer in certificates else one.orderer,
            reason=one.reason,
            nodes=[
                Confirmation(
                    node=known,
                    name=certificate.name,
                    role=certificate.role,
                    done_ms=done.get((one.order_id, known)),
                    last_seen_ms=peers[known].last_seen_ms if known in peers else None,
                    withdrawn=known in withdrawn,
                )
                for known, certificate in sorted(
                    certificates.items(), key=lambda item: (item[1].name, item[0])
                )
            ],
        )
        for one in session.scalars(select(ErasureRow).order_by(ErasureRow.ordered_ms.desc()))
    ]


# ---------------------------------------------------------------- rows


def _is_known(session: Session, order_id: str) -> bool:
    return session.scalar(select(ErasureRow.position).where(ErasureRow.order_id == order_id)) is not None


def _is_confirmed(session: Session, order_id: str, node: str, epoch: str) -> bool:
    row = ErasureDoneRow
    same = select(row.position).where(row.order_id == order_id, row.node == node, row.epoch == epoch)
    return session.scalar(same) is not None


def _keep_done(session: Session, order_id: str, node: str, epoch: str, done_ms: int, *, here: bool) -> None:
    row = ErasureDoneRow(order_id=order_id, node=node, epoch=epoch, done_ms=done_ms, made_here=here)
    session.add(row)
    session.flush()
