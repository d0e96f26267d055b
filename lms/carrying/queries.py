"""What is assigned to which node, who learns on this one, and which courses it therefore needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Select, func, or_, select, union
from sqlalchemy.orm import Session

from lms.carrying.lacks import lack_told_by, needed_below
from lms.carrying.rules import EVERYTHING, Mode, Orders, Taken, rank_of
from lms.carrying.tables import Assignment
from lms.courses.tables import Course
from lms.enrolment.tables import Enrolment
from lms.people.tables import Membership, Presence
from sync.node import line_of, standing, vouched_for


def decides_here(session: Session) -> bool:
    """Say whether this node decides which courses go where: a centre, or a hub that rests on nobody."""
    return standing(session).decides


def find_assignment(session: Session, target: str) -> Assignment | None:
    """Return what was said of a node itself."""
    return session.get(Assignment, target)


def assignments(session: Session) -> Sequence[Assignment]:
    """Return all that was said, by node."""
    return session.scalars(select(Assignment).order_by(Assignment.target)).all()


def orders_for(session: Session, node: str) -> Orders:
    """Return what is assigned to a node: by itself, or else by the nearest node above of which anything was said.

    Groups that learn there are those named on the way up to it.
    """
    line = line_of(node, vouched_for(session, [node]))
    rows = session.scalars(select(Assignment).where(Assignment.target.in_(line)))
    return _orders_along(line, {row.target: row for row in rows})


def orders_carried(session: Session) -> Sequence[Orders]:
    """Return what this node has to carry: what is assigned to it, and to those below it.

    Whoever decides carries everything, or nobody would.
    """
    return _orders_carried_by(session, standing(session).certificate.node)


def _orders_carried_by(session: Session, node: str) -> Sequence[Orders]:
    """Return the same of another node; the number of queries does not grow with that of assignments."""
    if node == standing(session).root:
        return [EVERYTHING]
    rows = {row.target: row for row in assignments(session)}
    known = vouched_for(session, [node, *rows]) if rows else {}
    lines = {one: line_of(one, known) for one in (node, *rows)}
    return [_orders_along(line, rows) for line in lines.values() if node in line]


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What another node needs, as far as it is known here."""

    orders: Sequence[Orders]
    taken: frozenset[UUID]

    def cover(self, course: UUID, languages: Collection[str]) -> bool:
        """Say whether it needs a course."""
        return course in self.taken or any(one.cover(course, languages) for one in self.orders)


def needs_of(session: Session, node: str) -> Needs:
    """Return what another node needs: what is assigned to it, what its groups take, what it told that it lacks."""
    orders = _orders_carried_by(session, node)
    groups = groups_in(orders)
    lack = lack_told_by(session, node)
    query = select(Enrolment.course).where(
        Enrolment.withdrawn.is_(None), Enrolment.person.in_(_members_of(groups))
    )
    taken = session.scalars(query.distinct()).all() if groups else ()
    return Needs(orders=orders, taken=frozenset(taken) | {UUID(one) for one in (lack.needed if lack else ())})


def needs_here(session: Session, courses: Collection[Course]) -> Mapping[UUID, int]:
    """Return how much each of some courses is needed on this node; one that is absent is not.

    What nodes below need counts as asked for. What was removed here is needed again once somebody asks for it, or is
    enrolled later.
    """
    orders = orders_carried(session)
    groups = groups_in(orders)
    taken = taken_here(session, [course.public_id for course in courses], groups=groups)
    below = needed_below(session)
    ranks = {
        course.public_id: rank_of(
            taken=taken.get(course.public_id),
            asked=course.asked is not None or course.public_id in below,
            assigned=course.removed is None
            and any(one.cover(course.public_id, course.languages) for one in orders),
        )
        for course in courses
    }
    return {course: rank for course, rank in ranks.items() if rank is not None}


def taken_here(
    session: Session, courses: Collection[UUID], *, groups: Collection[UUID]
) -> Mapping[UUID, Taken]:
    """Return which of some courses are taken by somebody who signed in here, or is in one of these groups."""
    query = (
        select(Enrolment.course, func.min(Enrolment.due))
        .join(Course, Course.public_id == Enrolment.course)
        .where(
            Enrolment.course.in_(courses),
            Enrolment.withdrawn.is_(None),
            Enrolment.person.in_(learners_here(groups)),
            or_(Course.removed.is_(None), Enrolment.changed > Course.removed),
        )
        .group_by(Enrolment.course)
    )
    return {course: Taken(due=due) for course, due in session.execute(query)}


def groups_in(orders: Sequence[Orders]) -> frozenset[UUID]:
    """Return the groups that learn where these orders hold."""
    return frozenset[UUID]().union(*(one.groups for one in orders))


def learners_here(groups: Collection[UUID]) -> CompoundSelect[UUID]:
    """Return the query for who learns here: whoever has signed in, and the members of these groups."""
    return union(select(Presence.person), _members_of(groups))


def _members_of(groups: Collection[UUID]) -> Select[UUID]:
    return select(Membership.person_id).where(Membership.group_id.in_(groups), Membership.active)


def describe_assignment(session: Session, public_id: UUID) -> dict[str, Any] | None:
    """Return an assignment as it travels to other nodes; ``None`` if there is no such one."""
    row = session.scalars(select(Assignment).where(Assignment.public_id == public_id)).one_or_none()
    if row is None:
        return None
    return {
        "target": row.target,
        "mode": row.mode,
        "courses": row.courses,
        "languages": row.languages,
        "groups": row.groups,
        "made_by": str(row.made_by) if row.made_by else None,
        "changed": row.changed.isoformat(),
    }


def orders_in(row: Assignment) -> Orders:
    """Return what was said of a node itself."""
    return _orders_in(row, frozenset(UUID(group) for group in row.groups))


def _orders_in(row: Assignment, groups: frozenset[UUID]) -> Orders:
    return Orders(
        mode=Mode(row.mode),
        courses=frozenset(UUID(course) for course in row.courses),
        languages=frozenset(row.languages),
        groups=groups,
    )


def _orders_along(line: Sequence[str], rows: Mapping[str, Assignment]) -> Orders:
    groups = frozenset[UUID]()
    for row in (rows[one] for one in line if one in rows):
        groups |= {UUID(group) for group in row.groups}
        if row.mode != Mode.ABOVE:
            return _orders_in(row, groups)
    return Orders(mode=Mode.ALL, groups=groups)
