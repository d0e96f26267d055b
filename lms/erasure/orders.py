"""Have somebody erased on every node: who may, and what she is asked before."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from lms.erasure.errors import NotOrderedHereError, NumberNotTypedError, ReasonMissingError
from lms.people.administration import person_to_look_after
from lms.people.errors import OwnAccessError
from lms.people.names import sign_in_name
from lms.people.tables import Person
from lms.web.viewer import Viewer
from sync import erasures
from sync.node import Node


def person_to_erase(session: Session, node: Node, viewer: Viewer, person_id: UUID) -> Person:
    """Return a person whom *viewer* may have erased from here.

    Raises:
        PersonNotFoundError, PersonAboveError: see ``lms.people.administration.person_to_look_after``.
        OwnAccessError: it is she herself.
        NotOrderedHereError: this node is not the centre of its network.
    """
    found = person_to_look_after(session, viewer, person_id)
    if found.public_id == viewer.public_id:
        raise OwnAccessError
    if not erasures.may_order(session, node):
        raise NotOrderedHereError
    return found


def have_erased(
    session: Session, node: Node, viewer: Viewer, person_id: UUID, *, reason: str, typed: str
) -> str:
    """Order that a person be erased everywhere, which nothing takes back; return the order's id.

    Args:
        session: of the caller's transaction; the worker carries it out afterwards.
        node: this node.
        viewer: who orders.
        person_id: whom.
        reason: for the record, on every node.
        typed: her personnel number, typed to confirm that she is meant.

    Raises:
        ReasonMissingError, NumberNotTypedError: what was filled in will not do.
        PersonNotFoundError, PersonAboveError, OwnAccessError, NotOrderedHereError: see :func:`person_to_erase`.
    """
    found = person_to_erase(session, node, viewer, person_id)
    if not reason.strip():
        raise ReasonMissingError
    if sign_in_name(typed) != sign_in_name(found.personnel_number):
        raise NumberNotTypedError
    return erasures.order(session, node, str(found.public_id), reason=reason.strip())
