"""The private roots of the nodes this one talks to over HTTPS: fetched once, at joining, and kept for each peer.

A hub that serves HTTPS has a root of its own (``lms.certificates``), which no system knows. It hands it out at a plain
port, and whoever fetches it there believes it unseen, as people do who install it in their browsers; its fingerprint is
told, and stands on the hub's page ``/reached``. What this decides is who may listen, and no more: records are
signed by their nodes' keys, and joining is proved by the code, whatever the connection.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from lms.settings import JOIN_PORT
from lms.web.reach import ROOT_NAME, in_url
from sync.errors import SyncError

FOLDER = "certificates/of-peers"
_TIMEOUT_S = 30.0
_MOST_BYTES = 65_536


class NoRootFoundError(SyncError):
    """The other node's certificate comes from a root that is not known here, and could not be fetched."""

    def __init__(self, address: str, tried: str, reason: str) -> None:
        self.address = address
        self.tried = tried
        super().__init__(
            f"{address} shows a certificate of a root that is not known here, and {tried} does not give one "
            f"({reason}). Its administrator finds the file on the page “How this hub is reached”; name it with --root."
        )


class Root:
    """A root certificate.

    >>> Root(b"no certificate")
    Traceback (most recent call last):
    ValueError: not a root certificate
    """

    def __init__(self, content: bytes) -> None:
        try:
            pem = content.lstrip().startswith(b"-----BEGIN")
            self._certificate = (
                x509.load_pem_x509_certificate(content) if pem else x509.load_der_x509_certificate(content)
            )
            signs = self._certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        except (ValueError, x509.ExtensionNotFound):
            signs = False
        if not signs:
            raise ValueError("not a root certificate")

    @property
    def pem(self) -> str:
        """The certificate as text."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    @property
    def fingerprint(self) -> str:
        """The SHA-256, as systems show it."""
        return self._certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def trusting(root: Root | None) -> ssl.SSLContext:
    """Return what is trusted by everybody here (``SSL_CERT_FILE`` included), and this root besides."""
    context = httpx.create_ssl_context()
    if root is not None:
        context.load_verify_locations(cadata=root.pem)
    return context


def root_of(folder: Path, peer: str) -> Root | None:
    """Return the root that is kept for a peer in a node's folder."""
    path = _path(folder, peer)
    return Root(path.read_bytes()) if path.exists() else None


def keep_root(folder: Path, peer: str, root: Root) -> None:
    """Keep a peer's root; the one before is forgotten."""
    path = _path(folder, peer)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(root.pem, encoding="ascii")
    beside.replace(path)


def root_needed(address: str, *, door_port: int = JOIN_PORT) -> Root | None:
    """Return the root that an address needs beyond those that are known here: fetched at its door, and tried.

    Raises:
        NoRootFoundError: it needs one, and none is found or none that fits.
    """
    if urlsplit(address).scheme != "https" or not _is_strange(address, trusting(None)):
        return None
    door = f"http://{in_url(urlsplit(address).hostname or '')}:{door_port}/{ROOT_NAME}"
    try:
        root = Root(_beginning(door))
    except (httpx.HTTPError, ValueError) as error:
        raise NoRootFoundError(address, door, str(error).partition("\n")[0]) from error
    if _is_strange(address, trusting(root)):
        raise NoRootFoundError(address, door, "the one there is another's")
    return root


def _is_strange(address: str, context: ssl.SSLContext) -> bool:
    """Say whether the other side shows a certificate that is not trusted; one that does not answer is no stranger."""
    try:
        with httpx.stream("GET", address, verify=context, timeout=_TIMEOUT_S):
            return False  # what it says is not asked for
    except httpx.ConnectError as error:
        return "CERTIFICATE_VERIFY_FAILED" in str(error)
    except httpx.HTTPError:
        return False


def _beginning(address: str) -> bytes:
    """Return the first bytes that stand at an address, however many it sends: nobody is trusted there yet."""
    found = b""
    with httpx.stream("GET", address, timeout=_TIMEOUT_S) as answer:
        answer.raise_for_status()
        for piece in answer.iter_bytes():
            found += piece
            if len(found) >= _MOST_BYTES:
                break
    return found[:_MOST_BYTES]


def _path(folder: Path, peer: str) -> Path:
    return folder / FOLDER / f"{peer}.pem"
