"""Every rule an import can fall foul of: one table a family, so that it can be read, translated and documented.

Numbers stand apart from nouns in its sentences, so that one sentence is right for one file and for many.
"""

from content_packages.rules.archive import ARCHIVE, NAMES
from content_packages.rules.cmi5 import CMI5
from content_packages.rules.files import FILES
from content_packages.rules.manifest import PACKAGE, XML
from content_packages.rules.pages import PAGES
from content_packages.rules.rule import BROWSERS, OFFLINE, OURS, Rule, Severity
from content_packages.rules.texts import EDITION, REPORT, TEXTS
from content_packages.rules.xapi import XAPI

__all__ = ["PHRASES", "RULES", "Rule", "Severity"]

RULES: dict[str, Rule] = {
    **ARCHIVE,
    **NAMES,
    **XML,
    **PACKAGE,
    **FILES,
    **CMI5,
    **XAPI,
    **PAGES,
    **TEXTS,
    **EDITION,
    **REPORT,
}

#: Facts and requirements that are words of ours rather than names: a page says them in its language.
PHRASES: tuple[str, ...] = (
    OURS,
    BROWSERS,
    OFFLINE,
)
