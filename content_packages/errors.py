"""Everything content packages can refuse.

PackageError
├── PackageRefusedError      an import was refused; carries the findings that say why
├── StoredPackageError       a kept package description cannot be read back
└── ShelfError
    ├── FileMissingError     the shelf has no file of this digest
    └── FileDamagedError     the bytes do not have the digest they should
"""

from __future__ import annotations

from collections.abc import Sequence

from content_packages.findings import Finding


class PackageError(Exception):
    """The root of the family."""


class PackageRefusedError(PackageError):
    """This package is not taken; nothing of it is kept."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(" ".join(found.detail for found in self.findings))


class StoredPackageError(PackageError):
    """A package description was not written by this product, or by a newer release of it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"This package description cannot be read: {reason}")


class ShelfError(PackageError):
    """The shelf cannot do what was asked."""


class FileMissingError(ShelfError):
    """No file of this digest is on the shelf."""

    def __init__(self, digest: str) -> None:
        self.digest = digest
        super().__init__(
            f"The file {digest} is not on the shelf; fetch it from a peer or import the course again."
        )


class FileDamagedError(ShelfError):
    """The bytes found or received do not have the digest they should."""

    def __init__(self, digest: str, found: str) -> None:
        self.digest = digest
        self.found = found
        super().__init__(
            f"The file {digest} is damaged (its bytes have the digest {found}); fetch it again from a peer or "
            "import the course again."
        )
