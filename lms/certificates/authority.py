"""The root of a node, and the certificate its server shows (RFC 5280).

A root that people install is a key to their browsers. So the root's private key signs one issuer and is thrown away
before anybody sees it; the issuer, and the root for those who look at it, are bound by name constraints (§4.2.1.10)
to the names of this node and to addresses of private networks. Whoever steals the issuer's key can pretend to be a
machine of such a network, and nothing else in the world.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sync.identity import write_private

FOLDER = "certificates"


_ROOT, _ISSUER, _ISSUER_KEY = "root.pem", "issuer.pem", "issuer.key"
_SERVER, _SERVER_KEY = "server.pem", "server.key"
_ROOT_FOR = timedelta(days=3650)
_SERVER_FOR = timedelta(
    days=365
)  # with what lies before it, less than the 825 days that Apple's systems take
_BEFORE = timedelta(days=60)  # clocks of laptops in the field run late
_RENEW_BEFORE_END = timedelta(days=60)

PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(one)
    for one in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
        "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip


class NoRootError(Exception):
    """The node has no root yet."""

    def __init__(self) -> None:
        super().__init__("This node has no root certificate yet. `lms serve --https` makes one.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Authority:
    """The root and the issuer of a node, in a folder of its own."""

    folder: Path
    root: x509.Certificate

    @property
    def root_der(self) -> bytes:
        """The root as browsers and systems take it in."""
        return self.root.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the root, as systems show it."""
        return self.root.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def chain_file(self) -> Path:
        """What the server shows: its certificate and the issuer's."""
        return self.folder / _SERVER

    @property
    def key_file(self) -> Path:
        """The key of the server's certificate."""
        return self.folder / _SERVER_KEY

    def covers(self, name: str) -> bool:
        """Say whether the root may vouch for a host name or an address."""
        permitted = self.root.extensions.get_extension_for_class(
            x509.NameConstraints
        ).value.permitted_subtrees
        address = _address(name)
        if address is None:
            names = [one.value for one in permitted or () if isinstance(one, x509.DNSName)]
            return any(name == one or name.endswith(f".{one}") for one in names)
        networks = [
            ipaddress.ip_network(str(one.value)) for one in permitted or () if isinstance(one, x509.IPAddress)
        ]
        return any(address in network for network in networks)

    @property
    def is_whole(self) -> bool:
        """Whether the issuer is there with its key, so that a certificate can be made anew."""
        try:
            issuer = x509.load_pem_x509_certificate((self.folder / _ISSUER).read_bytes())
            key = serialization.load_pem_private_key((self.folder / _ISSUER_KEY).read_bytes(), password=None)
        except (OSError, ValueError):
            return False
        return issuer.issuer == self.root.subject and issuer.public_key() == key.public_key()

    def show(self, hosts: Iterable[str], *, now: datetime) -> bool:
        """Have a certificate for these hosts that is good for a while; return whether one had to be made.

        Args:
            hosts: names, wildcards (``*.courses.lan``) and addresses; those the root does not cover are left out.
            now: with a zone.
        """
        wanted = [one for one in dict.fromkeys(hosts) if self.covers(one.removeprefix("*."))]
        if self._is_good(wanted, now):
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        issuer_key = serialization.load_pem_private_key(
            (self.folder / _ISSUER_KEY).read_bytes(), password=None
        )
        assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - the kind made below
        issuer = x509.load_pem_x509_certificate((self.folder / _ISSUER).read_bytes())
        made = (
            _begun("Outpost", key, issuer.subject, now=now, lasts=_SERVER_FOR)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general(one) for one in wanted]), critical=False)
            .add_extension(_identifier_of(issuer), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )
        write_private(self.key_file, _private(key))
        write_private(self.chain_file, _pem(made) + _pem(issuer))
        return True

    def _is_good(self, wanted: list[str], now: datetime) -> bool:
        try:
            shown = x509.load_pem_x509_certificate(self.chain_file.read_bytes())
            names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, x509.ExtensionNotFound):
            return False
        lasts = shown.not_valid_before_utc <= now < shown.not_valid_after_utc - _RENEW_BEFORE_END
        return lasts and self.key_file.exists() and {str(one.value) for one in names} == set(wanted)


def open_authority(data: Path) -> Authority:
    """Return the root of the node in a data folder.

    Raises:
        NoRootError: there is none.
    """
    folder = data / FOLDER
    try:
        root = x509.load_pem_x509_certificate((folder / _ROOT).read_bytes())
    except FileNotFoundError as error:
        raise NoRootError from error
    return Authority(folder=folder, root=root)


def make_authority(data: Path, *, node_name: str, hosts: Iterable[str], now: datetime) -> Authority:
    """Make a root, and forget its key; where there was one, all who trust it have to be given the new one.

    Args:
        data: the data folder.
        node_name: what people call the node; stands in the name of the root.
        hosts: the names it may vouch for, with those below them, and addresses beside those of private networks.
        now: with a zone.
    """
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    root_key, issuer_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    bounds = _bounds(hosts)
    called = f"Outpost {node_name or 'hub'}"[:50]
    subject = _name(f"{called} root {now:%Y-%m-%d}")
    root = (
        _begun(f"{called} root {now:%Y-%m-%d}", root_key, subject, now=now, lasts=_ROOT_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(bounds, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    issuer = (
        _begun(f"{called} issuer {now:%Y-%m-%d}", issuer_key, subject, now=now, lasts=_ROOT_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(bounds, critical=True)
        .add_extension(_identifier_of(root), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    write_private(folder / _ISSUER_KEY, _private(issuer_key))
    write_private(folder / _ISSUER, _pem(issuer))
    write_private(folder / _ROOT, _pem(root))
    (folder / _SERVER).unlink(missing_ok=True)
    return Authority(folder=folder, root=root)


# ---------------------------------------------------------------- parts


def _begun(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, *, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _bounds(hosts: Iterable[str]) -> x509.NameConstraints:
    """Return the bounds: without a name among them every name in the world would be permitted."""
    names, networks = ["localhost"], [*PRIVATE_NETWORKS]
    for host in hosts:
        address = _address(host)
        if address is None:
            names.append(host.removeprefix("*."))
        elif not any(address in network for network in networks):
            networks.append(ipaddress.ip_network(address))
    permitted: list[x509.GeneralName] = [x509.DNSName(one) for one in dict.fromkeys(names)]
    permitted += [x509.IPAddress(one) for one in networks]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _identifier_of(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Outpost"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _general(host: str) -> x509.GeneralName:
    address = _address(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
