"""What becomes of bundles, in sentences for pages; the codes are those of sync."""

from __future__ import annotations

from collections.abc import Mapping

from lms.web.wording import mark

_NOT_WHOLE = mark(
    "The file is not as its node wrote it: it was cut off, changed or copied badly. Copy it again."
)
_NO_BUNDLE = mark("This is no bundle of an Outpost node.")
_NOT_TRUSTED = mark("That node is not of this network, or is no longer trusted.")
_TOO_LONG = mark("The drive takes no file that long. Choose smaller files.")

PROBLEMS: Mapping[str, str] = {
    **dict.fromkeys(("cut", "grown", "header", "damaged", "repeated", "out_of_order", "content"), _NOT_WHOLE),
    **dict.fromkeys(("not_a_bundle", "not_a_file"), _NO_BUNDLE),
    **dict.fromkeys(("stranger", "revoked", "recipient"), _NOT_TRUSTED),
    **dict.fromkeys(("too_large", "split"), _TOO_LONG),
    "version": mark("A newer version wrote it. Update this node, then take it again."),
    "not_for_us": mark("It is sealed for other nodes; this one cannot open it."),
    "own": mark("This node wrote it itself; it is for others."),
    "alone": mark("This node has not joined a network yet."),
    "mixed": mark("These are files of two bundles. Take one at a time."),
    "unreadable": mark("The drive could not be read to its end. Is it still plugged in?"),
    "full": mark("There is not enough room on the drive. Make room there, or take another one."),
    "gone": mark("The drive does not answer any more. Was it pulled out? Plug it in and write again."),
    "differs": mark("What was read back is not what was written: the drive is failing. Take another one."),
    "disk": mark("The disk of this node is full or failing. Make room there, then try again."),
    "changed": mark("Something changed while it was written. Write it again."),
}
OTHER_PROBLEM = mark("It did not end well.")

DETAILED = frozenset({"full", "gone", "unreadable", "mixed", "split", "disk"})
"""Of these the sentence of sync tells more: which folder, how many bytes. It is English and names paths."""

_FORGED = mark("They are not what their node signed: forged, or changed on the way.")
_STRANGE_WRITER = mark("Nobody here can tell who wrote them.")
_NO_RIGHT = mark("Their node may not write such records, or they are not for this node.")

REFUSALS: Mapping[str, str] = {
    **dict.fromkeys(("signature", "root", "digest", "format", "header", "damaged", "too_large"), _FORGED),
    **dict.fromkeys(("unknown_origin", "untrusted_origin"), _STRANGE_WRITER),
    **dict.fromkeys(("right", "scope"), _NO_RIGHT),
    "fork": mark("Other records are kept under the same numbers."),
    "codec": mark("A newer version wrote them; they are read after an upgrade of this node."),
}

KINDS: Mapping[str, str] = {
    "export": mark("Written"),
    "receipt": mark("Receipt written"),
    "import": mark("Taken"),
}
