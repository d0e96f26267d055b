"""Everything that can go wrong between two nodes, as one family.

SyncError
├── WireError                 what arrived is not what the protocol says
│   ├── SegmentError          a segment is damaged, forged or too large
│   └── UnexpectedMessageError  a good message at the wrong moment
├── IdentityError             who somebody claims to be does not hold
│   ├── CertificateError
│   ├── PairingError
│   ├── KeyLostError
│   └── RevocationError
├── RefusedError              the other side said no, with its reason
├── BundleError               a bundle cannot be taken or written
├── StoppedError              this side ends the conversation, before all is said
└── LinkError                 the link broke; what was acknowledged stays acknowledged
"""

from __future__ import annotations


class SyncError(Exception):
    """Base of everything this package raises."""


class WireError(SyncError):
    """What arrived does not follow the protocol; nothing of it was taken."""


class SegmentError(WireError):
    """A segment cannot be taken. ``code`` names why, for the log and the page about refused records."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"The segment was refused ({code}): {detail}")


class UnexpectedMessageError(WireError):
    """A well-formed message that has no place at this point of the conversation."""

    def __init__(self, state: str, message: str) -> None:
        self.state = state
        self.message = message
        super().__init__(f"{message} has no place while the conversation is {state}.")


class IdentityError(SyncError):
    """A claim about who somebody is does not hold."""


class CertificateError(IdentityError):
    """A certificate is not signed by somebody this node trusts, or says less than was claimed."""


class PairingError(IdentityError):
    """Pairing did not happen; nothing was changed on either side."""


class KeyLostError(IdentityError):
    """The database names a node whose private key is not in the data folder."""


class RevocationError(IdentityError):
    """A key cannot be withdrawn, or not by this node."""


class RenewalError(SyncError):
    """A certificate cannot be made good for longer, or not by this node."""


class RefusedError(SyncError):
    """The other side refused, and said why."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"The other side refused ({code}): {detail}")


class BundleError(SyncError):
    """A bundle cannot be taken or written, and nothing was changed. ``code`` names why, for pages and programs."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(detail)


class StoppedError(SyncError):
    """This side ends the conversation before all is said; nothing is lost by it. ``code`` names why."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(detail)


class LinkError(SyncError):
    """The link broke or never stood. What was acknowledged stays acknowledged; try again."""
