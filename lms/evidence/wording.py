"""What the check of records found, and what to do: for pages and ``lms doctor``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lms.web.wording import mark
from sync.findings import Fault


class Meaning(NamedTuple):
    """What a finding means, and what to do about it."""

    what: str
    remedy: str


_FROM_BACKUP = mark(
    "Somebody had access to the database. Keep a copy of it for whoever looks into it, then put the data folder back "
    "from the last backup in which the check finds nothing; what was sent to other nodes since comes back by itself."
)
_BY_HAND = mark(
    "Somebody had access to the database. The signed entry still says what was recorded; compare it with a backup "
    "before anybody relies on this record."
)

MEANINGS: Mapping[Fault, Meaning] = {
    Fault.DAMAGED: Meaning(
        mark("Stored records cannot be read: the disk is damaged, most likely."),
        mark(
            "This node asks the others for a good copy at the next meetings. Look after the disk, and make a backup."
        ),
    ),
    Fault.CHANGED: Meaning(mark("Signed records were changed afterwards."), _FROM_BACKUP),
    Fault.MISPLACED: Meaning(
        mark("Signed records stand in another place than they were signed for."), _FROM_BACKUP
    ),
    Fault.REMOVED: Meaning(mark("Signed records were removed."), _FROM_BACKUP),
    Fault.BROKEN: Meaning(mark("Signed records do not continue those before them."), _FROM_BACKUP),
    Fault.HEAD: Meaning(mark("Records at the end were removed, or their count was changed."), _FROM_BACKUP),
    Fault.CUT: Meaning(mark("Fewer records are here than were here before."), _FROM_BACKUP),
    Fault.OTHER: Meaning(
        mark("Other records are here than those that were signed for before."), _FROM_BACKUP
    ),
    Fault.DATED: Meaning(
        mark("Records carry a time before that of the records they follow."),
        mark("The node that wrote them signed them so. Ask there whether somebody dated them back."),
    ),
    Fault.HOLE: Meaning(
        mark("Records were taken out, and no order to erase somebody covers it."), _FROM_BACKUP
    ),
    Fault.STRANGER: Meaning(
        mark("Nothing shows that the node that wrote these records belongs to this network."),
        mark(
            "Sync with the node that it joined: its certificate comes with that. Until then they cannot be checked."
        ),
    ),
    Fault.COUNT: Meaning(
        mark("The list of what was signed says otherwise than the signed records."), _FROM_BACKUP
    ),
    Fault.RECORD_REMOVED: Meaning(
        mark("A learning record is missing that a signed entry tells of."), _FROM_BACKUP
    ),
    Fault.RECORD_CHANGED: Meaning(mark("A learning record was changed after it was stored."), _BY_HAND),
    Fault.RECORD_ADDED: Meaning(
        mark("Learning records are here that no signed entry tells of."),
        mark(
            "They were put into the database directly. Do not rely on them; keep a copy for whoever looks into it."
        ),
    ),
    Fault.RECORD_MOVED: Meaning(
        mark("Learning records stand in another order than they were stored in."), _BY_HAND
    ),
    Fault.RECORD_DATED: Meaning(
        mark("A learning record says that it was stored before the one it follows."), _BY_HAND
    ),
}
