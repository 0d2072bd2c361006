"""The only door to the JOSE library: JWS compact (RFC 7515) with Ed25519 (RFC 9864) and nothing else.

The header has exactly `alg`, `kid` and `typ`. `kid` is the key's own RFC 7638 thumbprint, so a key cannot go by
another's name; `typ` says what kind of statement was signed, so that one is never taken for another.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.contracts.errors import Permanent

_ALGORITHM = "Ed25519"
_MAX_TOKEN = 128 * 1024
_MAX_HEADER = 512  # alg, kid and typ have 120 bytes or so; and no JSON of this length nests too deep to read
_KEY_BYTES = 32


class BadSignature(Permanent):
    """A token that is not what its signer made, or that we do not accept in form."""

    def __init__(self, message: str) -> None:
        super().__init__("bad_signature", message)


@dataclass(frozen=True)
class Signed:
    """A token taken apart, its signature NOT yet checked: only `kid` may be looked at, to find the key."""

    kid: str
    typ: str
    token: str = field(repr=False)


class SigningKey:
    """A private key, held by the one who signs. Has no repr of itself; `public` and `kid` may be published."""

    def __init__(self, secret: bytes) -> None:
        """`secret` is Ed25519's 32 bytes. Raises ValueError otherwise."""
        if len(secret) != _KEY_BYTES:
            raise ValueError("an Ed25519 key has 32 bytes")
        self._key = _private(secret)
        self.public: str = str(self._key.as_dict(private=False)["x"])
        self.kid = self._key.thumbprint()

    def sign(self, payload: bytes, *, typ: str) -> str:
        """The compact JWS of `payload`."""
        return jws.serialize_compact(
            {"alg": _ALGORITHM, "kid": self.kid, "typ": typ}, payload, self._key, algorithms=[_ALGORITHM]
        )


def fingerprint(public: str) -> str:
    """The RFC 7638 thumbprint of a public key (base64url of its 32 bytes). Raises ValueError if it is none."""
    return _public(public).thumbprint()


def take_apart(token: str) -> Signed:
    """Reads the header, strictly. Raises BadSignature for any header but ours; checks no signature."""
    if len(token) > _MAX_TOKEN or token.count(".") != 2:
        raise BadSignature("not a compact JWS of at most 128 KiB")
    head = token.split(".")[0]
    if len(head) > _MAX_HEADER:
        raise BadSignature("the header is too long")
    try:
        raw = base64.b64decode(_padded(head), altchars=b"-_", validate=True)
        header = json.loads(raw)
    except (ValueError, binascii.Error):
        raise BadSignature("the header is not base64url of JSON") from None
    if not isinstance(header, Mapping) or set(header) != {"alg", "kid", "typ"}:
        raise BadSignature("the header must have alg, kid and typ, and nothing else")
    if header["alg"] != _ALGORITHM:
        raise BadSignature(f"alg must be {_ALGORITHM}; every other is refused")
    if not isinstance(header["kid"], str) or not isinstance(header["typ"], str):
        raise BadSignature("kid and typ must be strings")
    return Signed(header["kid"], header["typ"], token)


def payload_of(signed: Signed, *, public: str, typ: str) -> bytes:
    """The payload, once the signature by `public` is checked. Raises BadSignature unless all of it is right."""
    if signed.typ != typ:
        raise BadSignature(f"typ is not {typ}")
    key = _public(public)
    if key.thumbprint() != signed.kid:
        raise BadSignature("kid is not the key's thumbprint")
    try:
        found = jws.deserialize_compact(signed.token, key, algorithms=[_ALGORITHM])
    except (JoseError, ValueError):  # ValueError: a segment that is not base64url
        raise BadSignature("the signature does not fit") from None
    return found.payload


def unchecked_payload(signed: Signed) -> bytes:
    """What the token claims, BEFORE any check: only to find the key that it must then be checked with."""
    try:
        return jws.extract_compact(signed.token.encode()).payload
    except (JoseError, ValueError):
        raise BadSignature("the payload is not base64url") from None


def _private(secret: bytes) -> OKPKey:
    return OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(secret))


def _public(public: str) -> OKPKey:
    try:
        raw = base64.b64decode(_padded(public), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("a public key is base64url") from None
    if len(raw) != _KEY_BYTES or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != public:
        raise ValueError("a public key is the base64url of 32 bytes, without padding")
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": public})


def _padded(text: str) -> bytes:
    return text.encode() + b"=" * (-len(text) % 4)
