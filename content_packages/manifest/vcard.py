"""Read the vCards of a metadata record (RFC 6350; RFC 2426 and vCard 2.1 before it): who it is and where to reach them.

Records hold them with their lines indented, folded, or run together into one, because XML makes nothing of line
breaks. So a card is cut where the name of a property stands, not by lines.
"""

from __future__ import annotations

import quopri
import re
from dataclasses import dataclass

_PROPERTY = re.compile(
    r"(?:^|(?<=\s))(?:[\w-]+\.)?(BEGIN|END|VERSION|PRODID|UID|REV|KIND|SOURCE|N|FN|NICKNAME|ORG|TITLE|ROLE|EMAIL|TEL|"
    r"ADR|LABEL|URL|NOTE|BDAY|PHOTO|LOGO|TZ|GEO|LANG|CATEGORIES|X-[\w-]+)(;[^:\s]*)?:",
    re.IGNORECASE,
)
_FOLD = re.compile(r"\r?\n[ \t]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One person or institution; what the card does not say is empty."""

    name: str = ""
    organization: str = ""
    email: str = ""
    telephone: str = ""

    @property
    def contact(self) -> str:
        """Return whom to ask and where; nothing for somebody who cannot be reached.

        >>> Card(name="Jo", email="jo@example.org").contact
        'Jo, jo@example.org'
        """
        reached = self.email or self.telephone
        return ", ".join(filter(None, (self.name or self.organization, reached))) if reached else ""


def read_card(text: str) -> Card:
    """Return what a card says; of several values of a property the first.

    >>> read_card("BEGIN:VCARD FN:Jo ORG:Academy;Unit 3 EMAIL;TYPE=INTERNET:jo@example.org END:VCARD").organization
    'Academy Unit 3'
    """
    said: dict[str, str] = {}
    found = list(_PROPERTY.finditer(text))
    ends = [*(one.start() for one in found[1:]), len(text)]
    for one, end in zip(found, ends, strict=False):  # where nothing was found there is one end too many
        value = text[one.end() : end]
        said.setdefault(one[1].upper(), _value(value, (one[2] or "").upper()))
    return Card(
        name=said.get("FN") or _in_order(said.get("N", "")),
        organization=" ".join(said.get("ORG", "").replace(";", " ").split()),
        email=said.get("EMAIL", "").removeprefix("mailto:"),
        telephone=said.get("TEL", "").removeprefix("tel:"),
    )


def _value(text: str, parameters: str) -> str:
    if "QUOTED-PRINTABLE" in parameters:
        text = quopri.decodestring(text.strip().encode()).decode("utf-8", "replace")
    text = _FOLD.sub("", text.strip()) if "\n" in text.strip() else text
    return " ".join(_ESCAPED.sub(lambda one: " " if one[1] in "nN" else one[1], text).split())


def _in_order(name: str) -> str:
    """Return a name that is given in parts (family; given; more; before; after) as it is said."""
    family, given, *_ = [*name.split(";"), ""]
    return f"{given} {family}".strip()
