"""The usual verbs, so that a reader meets them in her language though their writer spoke one only.

ADL's vocabulary (https://w3id.org/xapi/adl) and the verbs of cmi5 §9.3; a statement's own word in the reader's
language goes before these.
"""

from __future__ import annotations

from lms.web.wording import mark

_ADL = "http://adlnet.gov/expapi/verbs"

VERBS = {
    f"{_ADL}/answered": mark("answered"),
    f"{_ADL}/attempted": mark("attempted"),
    f"{_ADL}/attended": mark("attended"),
    f"{_ADL}/commented": mark("commented on"),
    f"{_ADL}/completed": mark("completed"),
    f"{_ADL}/exited": mark("left"),
    f"{_ADL}/experienced": mark("experienced"),
    f"{_ADL}/failed": mark("failed"),
    f"{_ADL}/initialized": mark("began"),
    f"{_ADL}/interacted": mark("worked with"),
    f"{_ADL}/launched": mark("opened"),
    f"{_ADL}/mastered": mark("mastered"),
    f"{_ADL}/passed": mark("passed"),
    f"{_ADL}/progressed": mark("made progress in"),
    f"{_ADL}/registered": mark("registered for"),
    f"{_ADL}/responded": mark("answered"),
    f"{_ADL}/resumed": mark("went on with"),
    f"{_ADL}/scored": mark("was scored in"),
    f"{_ADL}/suspended": mark("interrupted"),
    f"{_ADL}/terminated": mark("ended"),
    f"{_ADL}/voided": mark("voided"),
    "https://w3id.org/xapi/adl/verbs/abandoned": mark("abandoned"),
    "https://w3id.org/xapi/adl/verbs/satisfied": mark("satisfied the requirements of"),
    "https://w3id.org/xapi/adl/verbs/waived": mark("was excused from"),
}
