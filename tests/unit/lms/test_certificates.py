"""The root a hub makes: what it can vouch for, and what it cannot, by a verifier that is not ours."""

from __future__ import annotations

import ipaddress
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from lms.certificates.authority import Authority, make_authority, open_authority

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOSTS = ["localhost", "hub.local", "*.courses.lan", "courses.lan", "10.0.0.5", "fd00::5"]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = make_authority(tmp_path, node_name="Room 2", hosts=HOSTS, now=NOW)
    made.show(HOSTS, now=NOW)
    return made


def subject(host: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def verify(authority: Authority, host: str, chain: list[x509.Certificate], *, at: datetime = NOW) -> None:
    builder = PolicyBuilder().store(Store([authority.root])).time(at)
    builder.build_server_verifier(subject(host)).verify(chain[0], chain[1:])


def shown(authority: Authority) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(authority.chain_file.read_bytes())


@pytest.mark.parametrize("host", ["localhost", "hub.local", "k1.courses.lan", "10.0.0.5", "fd00::5"])
def test_browsers_that_have_the_root_believe_the_server(authority: Authority, host: str) -> None:
    verify(authority, host, shown(authority))


@pytest.mark.parametrize("host", ["other.local", "a.b.courses.lan", "10.0.0.6", "example.org"])
def test_they_believe_it_under_no_other_name(authority: Authority, host: str) -> None:
    with pytest.raises(VerificationError):
        verify(authority, host, shown(authority))


def forged(authority: Authority, host: str) -> list[x509.Certificate]:
    """What a thief of the hub's keys makes."""
    stolen = serialization.load_pem_private_key((authority.folder / "issuer.key").read_bytes(), password=None)
    assert isinstance(stolen, ec.EllipticCurvePrivateKey)
    issuer = shown(authority)[1]
    true = shown(authority)[0]
    builder = (
        x509.CertificateBuilder()
        .subject_name(true.subject)
        .issuer_name(issuer.subject)
        .public_key(stolen.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([subject(host)]), critical=False)
    )
    for extension in true.extensions:
        if not isinstance(extension.value, x509.SubjectAlternativeName | x509.SubjectKeyIdentifier):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return [builder.sign(stolen, hashes.SHA256()), issuer]


@pytest.mark.parametrize("host", ["example.org", "bank.local", "8.8.8.8", "2001:4860::8888"])
def test_a_thief_of_its_keys_cannot_forge_the_world(authority: Authority, host: str) -> None:
    with pytest.raises(VerificationError):
        verify(authority, host, forged(authority, host))


def test_what_a_thief_makes_for_the_hub_itself_would_pass_or_the_test_above_shows_nothing(
    authority: Authority,
) -> None:
    verify(authority, "hub.local", forged(authority, "hub.local"))


def test_the_key_of_the_root_is_kept_nowhere(authority: Authority) -> None:
    root_key = authority.root.public_key()
    files = [path for path in authority.folder.iterdir() if path.suffix == ".key"]

    kept = [
        serialization.load_pem_private_key(path.read_bytes(), password=None).public_key() for path in files
    ]

    assert len(kept) == 2
    assert root_key not in kept
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


def test_a_certificate_is_kept_until_it_ends_soon_or_the_machine_moved(authority: Authority) -> None:
    before = shown(authority)

    assert not authority.show(HOSTS, now=NOW + timedelta(days=100))
    assert shown(authority) == before
    assert authority.show([*HOSTS, "192.168.1.7"], now=NOW)
    assert authority.show([*HOSTS, "192.168.1.7"], now=NOW + timedelta(days=310))
    verify(authority, "192.168.1.7", shown(authority), at=NOW + timedelta(days=600))


def test_what_the_root_does_not_cover_is_left_out(authority: Authority) -> None:
    authority.show(["hub.local", "hub.example.org", "8.8.8.8"], now=NOW)

    names = shown(authority)[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [one.value for one in names] == ["hub.local"]
    assert not authority.covers("hub.example.org")


def test_it_is_found_again(authority: Authority, tmp_path: Path) -> None:
    assert open_authority(tmp_path).fingerprint == authority.fingerprint


def test_no_certificate_lasts_longer_than_systems_take(authority: Authority) -> None:
    server = shown(authority)[0]

    assert server.not_valid_after_utc - server.not_valid_before_utc < timedelta(days=825)
