"""Signs in pages and scripts of what browsers have removed, or of what loses a learner's work.

One row a sign, so that a reviewer can lay the list beside what browsers announce. They are heuristics for the
report, never a reason to refuse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """One construct.

    Args:
        code: its rule, or the name of a fact that others are judged by.
        needles: one of these stands in every match; finding a plain word is many times faster.
    """

    code: str
    needles: tuple[bytes, ...]
    pattern: re.Pattern[bytes]


def _sign(code: str, needles: tuple[bytes, ...], pattern: bytes) -> Sign:
    return Sign(code=code, needles=needles, pattern=re.compile(pattern))


UNLOAD, SYNC_REQUEST = "script.unload", "script.sync_request"
SAVES, SETS, REACHES = FACTS = "saves", "sets", "reaches"

SIGNS: tuple[Sign, ...] = (
    _sign(
        "script.flash",
        (b"shockwave-flash", b"swfobject", b"D27CDB6E", b"AC_FL_RunContent"),
        rb"application/x-shockwave-flash|swfobject\.embedSWF|D27CDB6E-AE6D|AC_FL_RunContent\s{0,9}\(",
    ),
    _sign(
        "script.removed",
        (b"showModalDialog", b"<applet", b"<APPLET", b"openDatabase", b"applicationCache", b"x-silverlight"),
        rb"showModalDialog\s{0,9}\(|<(?:applet|APPLET)\b|\bopenDatabase\s{0,9}\(|\bapplicationCache\.\w+\s{0,9}\(|"
        rb"application/x-silverlight",
    ),
    _sign(
        UNLOAD,
        (b"unload", b"Unload"),
        rb"\bon(?:[bB]efore)?[uU]n[lL]oad\s{0,9}=|[\"'](?:before)?unload[\"']|\.(?:before)?unload\s{0,9}\(",
    ),
    _sign(
        SYNC_REQUEST,
        (b".open", b"async"),
        rb"\.open\s{0,9}\([^()]{0,200},\s{0,9}(?:false|!1)\s{0,9}[,)]|\basync\s{0,9}:\s{0,9}(?:false|!1)\b"
        rb"(?!\s{0,9},\s{0,9}(?:global|dataType|\"throws\"))",  # as jQuery itself has it, to run scripts
    ),
    _sign("script.popup", (b"window.open",), rb"\bwindow\.open\s{0,9}\("),
    _sign(
        "script.top_window",
        (b"top.location", b"top.document"),
        rb"\b(?:window\.)?top\.(?:location|document)\b",
    ),
    _sign("script.document_domain", (b"document.domain",), rb"\bdocument\.domain\s{0,9}=(?!=)"),
    _sign(
        "script.document_write",
        (b"document.write",),
        rb"\bdocument\.write(?:ln)?\s{0,9}\([^();]{0,300}?\bsrc\s{0,9}=\s{0,9}\\?[\"']?(?:https?:)?//[\w-]+\.",
    ),
    _sign(SAVES, (b"Commit", b".save"), rb"Commit\s{0,9}\(|\.save\s{0,9}\("),
    _sign(SETS, (b"SetValue",), rb"SetValue\s{0,9}\("),
    # The word first: what may begin in several ways is tried at every byte.
    _sign(REACHES, (b"top.", b"top "), rb"top(?<![\w$-]top)(?<![)\]]\.top)\s{0,3}\??\.\s{0,3}[A-Za-z_$]"),
)
