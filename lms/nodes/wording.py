"""What nodes, kinds of records, refusals and ends of meetings are called on the sync page."""

from __future__ import annotations

from collections.abc import Mapping

from lms.nodes.tables import Ending
from lms.web.wording import mark

KINDS: Mapping[str, str] = {
    "statement": mark("Learning records"),
    "attachment": mark("Learning records with files"),
    "document": mark("Places reached in courses"),
    "person": mark("People"),
    "group": mark("Groups"),
    "membership": mark("Members of groups"),
    "enrolment": mark("Enrolments"),
    "course": mark("Courses"),
    "withdrawal": mark("Withdrawn editions"),
    "assignment": mark("Which courses go where"),
    "carrying": mark("Which courses are lacking"),
    "revocation": mark("Withdrawn nodes"),
    "trust": mark("Trust in withdrawn nodes"),
    "erasure": mark("Orders to erase a person"),
    "erasure-done": mark("Confirmations that a person was erased"),
    "retention": mark("Periods for which records are kept"),
    "day": mark("Signed statements of the day"),
    "loss": mark("Losses by damaged disks"),
    "presence": mark("People who began to work on this machine"),
    "presence-answer": mark("Answers that all is told of somebody"),
}
ROLES: Mapping[str, str] = {
    "laptop": mark("Officer laptop"),
    "hub": mark("Training-room hub"),
    "central": mark("Centre"),
}
REASONS: Mapping[str, str] = {
    "not_yours": mark("It was decided elsewhere, and only there it can be changed."),
    "conflict": mark("Another record is kept under the same name."),
    "malformed": mark("It is not written as such a record must be."),
    "schema": mark("A newer version wrote it; it is read after an upgrade of this node."),
    "kind": mark("A newer version wrote it; it is read after an upgrade of this node."),
    "revoked": mark("Its node is no longer trusted, and it was written after the last record that is."),
    "statement": mark("The learning record it belongs to is not here."),
    "files": mark("Its files are still on their way."),
    "error": mark("Something went wrong on this node while it was read."),
}
#: How a meeting ended: the state it is shown as, and the word.
ENDINGS: Mapping[Ending, tuple[str, str]] = {
    Ending.DONE: ("done", mark("Complete")),
    Ending.INTERRUPTED: ("waiting", mark("The link broke")),
    Ending.REFUSED: ("refused", mark("Refused")),
    Ending.BUDGET: ("waiting", mark("The bytes of the day were used")),
    Ending.QUIET: ("waiting", mark("Quiet hours began")),
    Ending.CANCELLED: ("information", mark("Cancelled")),
    Ending.CLOSING: ("waiting", mark("This node was switched off")),
}
OTHER_REASON = mark("It could not be taken.")
