"""The versions of xAPI this store speaks (xAPI 1.0.3 Communication §3.3; xAPI 2.0 §4.1.6)."""

import re
from enum import StrEnum
from functools import lru_cache

from xapi_store.errors import UnsupportedVersionError

VERSION_HEADER = "X-Experience-API-Version"


class Version(StrEnum):
    """A version as answers name it: the newest patch of its family."""

    V1 = "1.0.3"
    V2 = "2.0.0"

    @property
    def of_statements(self) -> str:
        """The `version` a statement gets when it comes with none (1.0.3 Data §2.4.10)."""
        return "1.0.0" if self is Version.V1 else "2.0.0"


_FAMILIES = ((Version.V1, re.compile(r"1\.0(?:\.\d+)?")), (Version.V2, re.compile(r"2\.0(?:\.\d+)?")))


@lru_cache(maxsize=64)
def negotiate(header: str | None) -> Version:
    """Return the version a request is to be answered in.

    Raises:
        UnsupportedVersionError: the header is missing, or names neither 1.0.x nor 2.0.x.
    """
    if header is None:
        raise UnsupportedVersionError(f"The header {VERSION_HEADER} is missing; send 1.0.3 or 2.0.0.")
    for version, family in _FAMILIES:
        if family.fullmatch(header.strip()):
            return version
    raise UnsupportedVersionError(f"xAPI version {header!r} is not spoken here; send 1.0.3 or 2.0.0.")
