"""Values that a manifest gives an item: those the standard does not know are told and left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from content_packages.findings import Finding, finding
from content_packages.manifest.document import Node, collapse
from content_packages.manifest.lexical import boolean

_TIME_LIMIT_ACTIONS = frozenset(
    {"exit,message", "exit,no message", "continue,message", "continue,no message"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemValues:
    """What is said of one item, and where to tell of what cannot be taken.

    Args:
        file: the manifest.
        name: what the item is called.
    """

    file: str
    name: str
    findings: list[Finding]

    def text(self, node: Node | None, fits: Callable[[str], bool]) -> str | None:
        """Return the text of an element if it *fits*; ``None`` also where there is no element or no text."""
        return None if node is None else self._checked(node, collapse(node.text), fits)

    def time_limit_action(self, node: Node | None) -> str | None:
        """Return what is to happen when the time is up (SCORM 1.2 CAM 2.3.2.5.1; SCORM 2004 CAM 3.4.1.13)."""
        if node is None:
            return None
        action = collapse(node.text).lower().replace(", ", ",")
        return self._checked(node, action, _TIME_LIMIT_ACTIONS.__contains__)

    def is_true(self, node: Node, attribute: str, family: str = "") -> bool:
        """Return a boolean whose default is true."""
        written = (node.get(attribute, family) or "").strip() or "true"
        value = boolean(written)
        if value is None:
            self.tell("item.bad_value", node, value=written, field=attribute)
        return value is not False

    def tell(self, code: str, node: Node, **facts: str) -> None:
        """Add a finding about the item at one of its elements."""
        self.findings.append(finding(code, file=self.file, line=node.line, name=self.name, **facts))

    def _checked(self, node: Node, value: str, fits: Callable[[str], bool]) -> str | None:
        if value and not fits(value):
            self.tell("item.bad_value", node, value=value, field=node.name)
            return None
        return value or None
