"""Keep who is told of whom, and line up what each node below is to be told.

What is known of a person stands in the record store: statements on which her progress depends, and the documents of her
attempts. A node below that she signs in on is told of all that did not come from there. It is told by the node that
admitted it, of what that one holds itself; so each step on the way needs to know its neighbours only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from lms.following.tables import Follow, FollowingCursor, Tell
from lms.launch.statements import PEOPLE, learner
from lms.progress.actions import tells_progress
from sync.node import line_of, standing, vouched_for
from xapi_store import feed
from xapi_store.model.actor import actor_key
from xapi_store.tables import add_in_order, newest_ended, transaction_number

AT_ONCE = 200
_FOLLOWS_AT_ONCE = 10


# ---------------------------------------------------------------- who is told of whom


def follow(session: Session, person: UUID, leaf: str, *, me: str, decides: bool) -> None:
    """Tell the node next below, on the way to where somebody signs in, of her; asked again, say so again."""
    child = _child_towards(session, leaf, me)
    if child is None:
        return
    known = session.scalars(select(Follow).where(Follow.person == person)).all()
    row = next((one for one in known if one.child == child), None)
    if row is None:
        heard = decides or any(one.heard for one in known)
        with suppress(IntegrityError), session.begin_nested():  # another process has just noted the same
            session.add(Follow(person=person, child=child, told=False, heard=heard, answered=False))
    else:
        row.answered = False
        session.flush()


def note_heard(session: Session, person: UUID) -> None:
    """Note that those above have told all that they know of somebody."""
    session.execute(update(Follow).where(Follow.person == person).values(heard=True))


def _child_towards(session: Session, leaf: str, me: str) -> str | None:
    """Return the node that this one admitted, through which another one is reached; itself, if it was admitted here."""
    line = line_of(leaf, vouched_for(session, [leaf]))
    return next((below for below, above in pairwise(line) if above == me), None)


# ---------------------------------------------------------------- what came from elsewhere


def tell_statements(session: Session, stored: Mapping[int, bytes], *, origin: str) -> None:
    """Line up statements that came from a node, or were made here, by position."""
    if _anybody_is_followed(session):
        about = {place: person for place, raw in stored.items() if (person := _learner_of(raw)) is not None}
        _line_up(session, "statement", about, origin)


def tell_documents(session: Session, stored: Mapping[int, str | None], *, origin: str) -> None:
    """Line up documents that came from a node, or were made here: by position, the agent of each."""
    if _anybody_is_followed(session):
        found = {place: _person_of(agent) for place, agent in stored.items()}
        _line_up(
            session,
            "document",
            {place: person for place, person in found.items() if person is not None},
            origin,
        )


def _anybody_is_followed(session: Session) -> bool:
    return session.scalar(select(Follow.id).limit(1)) is not None


def _line_up(session: Session, what: str, about: Mapping[int, UUID], origin: str) -> None:
    follows = _follows_of(session, set(about.values()))
    if not follows:
        return
    way = line_of(origin, vouched_for(session, [origin]))
    _tell(
        session,
        (
            {"child": one.child, what: place, "came_from_there": one.child in way}
            for place, person in sorted(about.items())
            for one in follows.get(person, ())
            if one.child not in way or not one.told
        ),
    )


def _follows_of(session: Session, people: Collection[UUID]) -> Mapping[UUID, list[Follow]]:
    found: defaultdict[UUID, list[Follow]] = defaultdict(list)
    if people:
        for row in session.scalars(select(Follow).where(Follow.person.in_(people)).order_by(Follow.child)):
            found[row.person].append(row)
    return found


def _tell(session: Session, rows: Iterable[dict[str, Any]]) -> int:
    """Line rows up, and return how many."""
    made = [Tell(**row) for row in rows]
    if made:
        add_in_order(session, made)
        session.flush()
    return len(made)


# ---------------------------------------------------------------- what was here before, and what is made here


def line_up(session: Session, numbered: int) -> bool:
    """Do the next of what is due; return whether anything came of it. Called by one process at a time.

    Args:
        session: the transaction in which changes are numbered.
        numbered: the position up to which what was lined up has been told.
    """
    if not _anybody_is_followed(session):
        return False
    session.execute(delete(Tell).where(Tell.position <= numbered, ~Tell.came_from_there))
    made_here = _look_through(session)
    return any([made_here, _catch_up(session), _answer(session)])


def _look_through(session: Session) -> bool:
    """Line up the next of what was made here, for those who have been told what was here before."""
    cursor = session.get(FollowingCursor, 1)
    if cursor is None:
        cursor = FollowingCursor(id=1, statements=0, documents=0)
        session.add(cursor)
    if session.scalar(select(Follow.id).where(Follow.told).limit(1)) is None:
        cursor.statements, cursor.documents = feed.newest_position(session), feed.newest_document(session)
        return False
    statements, cursor.statements = feed.statements_made_here_after(session, cursor.statements, limit=AT_ONCE)
    documents, cursor.documents = feed.documents_made_here_after(session, cursor.documents, limit=AT_ONCE)
    me = standing(session).certificate.node
    tell_statements(session, {one.position: one.raw for one in statements}, origin=me)
    tell_documents(session, {one.position: one.key.agent for one in documents}, origin=me)
    return bool(statements or documents)


def _catch_up(session: Session) -> bool:
    """Line up what was here of people before it was asked for, once all who store it can see who asks."""
    moved = False
    ended = newest_ended(session.connection())
    due = session.scalars(
        select(Follow).where(~Follow.told).order_by(Follow.id).limit(_FOLLOWS_AT_ONCE)
    ).all()
    for row in due:
        if row.open_then is None:
            row.open_then = transaction_number(session.connection())
            moved = True
        if row.open_then <= ended:
            _tell_all(session, row)
            row.told = moved = True
            session.flush()
            _forget_its_own(session, row.child)
    session.flush()
    return moved


def _forget_its_own(session: Session, child: str) -> None:
    """Forget what came from a node, once all it asked for is told."""
    if session.scalar(select(Follow.id).where(Follow.child == child, ~Follow.told).limit(1)) is None:
        session.execute(delete(Tell).where(Tell.child == child, Tell.came_from_there))


def _tell_all(session: Session, row: Follow) -> None:
    agent = str(actor_key(learner(row.person)))
    its_own = _its_own(session, row.child, Tell.statement)
    place = 0
    while statements := feed.statements_of(session, agent, place, limit=AT_ONCE):
        place = statements[-1].position
        others = (one for one in statements if one.position not in its_own)
        counted = (one.position for one in others if tells_progress(orjson.loads(one.raw)))
        _tell(session, ({"child": row.child, "statement": one} for one in counted))
    its_own = _its_own(session, row.child, Tell.document)
    place = 0
    while documents := feed.documents_of(session, agent, place, limit=AT_ONCE):
        place = documents[-1].position
        rest = (one.position for one in documents if one.position not in its_own)
        _tell(session, ({"child": row.child, "document": one} for one in rest))


def _its_own(session: Session, child: str, column: InstrumentedAttribute[int | None]) -> set[int | None]:
    """Return what has come from a node since it asked, which it is not to be told."""
    return set(session.scalars(select(column).where(Tell.child == child, Tell.came_from_there)))


def _answer(session: Session) -> bool:
    due = select(Follow).where(Follow.told, Follow.heard, ~Follow.answered).order_by(Follow.id).limit(AT_ONCE)
    rows = session.scalars(due).all()
    for row in rows:
        row.answered = True
    return bool(_tell(session, ({"child": row.child, "answer": row.person} for row in rows)))


def _learner_of(raw: bytes) -> UUID | None:
    """Return whom a statement is about, if how she stands may depend on it."""
    statement = orjson.loads(raw)
    account = statement["actor"].get("account", {})
    if account.get("homePage") != PEOPLE or not tells_progress(statement):
        return None
    return _uuid(account["name"])


def _person_of(agent: str | None) -> UUID | None:
    if agent is None:
        return None
    account = orjson.loads(agent).get("account", {})
    return _uuid(account["name"]) if account.get("homePage") == PEOPLE else None


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
