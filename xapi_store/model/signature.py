"""Signed statements: the JWS in an attachment (xAPI 1.0.3 Data §2.6; xAPI 2.0 §4.2.6)."""

import base64
import binascii
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from xapi_store.errors import MalformedJsonError, RequestError
from xapi_store.model.strict_json import load_object

_NO_CERTIFICATE = (
    ValueError, TypeError, IndexError, KeyError, x509.InvalidVersion, UnsupportedAlgorithm,
)  # fmt: skip
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}


def signed_statement(jws: bytes) -> dict[str, Any]:
    """Return the statement inside a signature, after checking the signature.

    The key comes from the certificate in `x5c`; without one there is nothing to check against, which the
    standard allows.

    Raises:
        RequestError: not a JWS in compact form, an algorithm other than RS256, RS384 and RS512, a payload
        that is
            not a JSON object, or a signature that does not fit.
    """
    try:
        header_text, payload_text, signature_text = jws.strip().split(b".")
        header = load_object(_decode(header_text))
        payload = load_object(_decode(payload_text))
        signature = _decode(signature_text)
    except (ValueError, binascii.Error, MalformedJsonError):
        raise RequestError("The signature is not a JWS in compact form over a statement.") from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in _HASHES:
        raise RequestError("The signature must use RS256, RS384 or RS512.")
    if "x5c" in header:
        _verify(header["x5c"], algorithm, header_text + b"." + payload_text, signature)
    return payload


def _verify(chain: Any, algorithm: str, signed: bytes, signature: bytes) -> None:
    try:
        key = x509.load_der_x509_certificate(base64.b64decode(chain[0])).public_key()
    except _NO_CERTIFICATE:
        raise RequestError("The x5c header of the signature does not start with a certificate.") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise RequestError("The certificate in x5c must hold an RSA key.")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), _HASHES[algorithm])
    except InvalidSignature:
        raise RequestError("The signature does not fit the statement and the certificate in x5c.") from None


def _decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
