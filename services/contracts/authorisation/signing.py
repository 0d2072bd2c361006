"""The only door to the JOSE library: JWS compact (RFC 7515) with Ed25519 (RFC 9864) and nothing else.

The header has exactly `alg`, `kid` and `typ`. `kid` is the key's own RFC 7638 thumbprint, so a key cannot go by
another's name; `typ` says what kind of statement was signed, so that one is never taken for another.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry

from services.contracts.errors import Permanent

_ALGORITHM = "Ed25519"
_MAX_TOKEN = 1024 * 1024  # a registry of 2,000 keys; the topic takes records of 2 MiB
# As `sign` writes it, to the byte.
_HEADER = re.compile(rb'\{"alg":"Ed25519","kid":"([A-Za-z0-9_-]{43})","typ":"([a-z0-9+-]{1,64})"\}')
_KEY_BYTES = 32
_LIMITS = JWSRegistry(algorithms=[_ALGORITHM])
_LIMITS.max_payload_length = _MAX_TOKEN  # theirs would hold a registry of 400 keys


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
    """Reads the header, strictly. Raises BadSignature for any header but ours; checks no signature.

    The header is compared, not interpreted: no second `alg`, no `jwk`, `jku` or `crit`, no other spelling.
    """
    if len(token) > _MAX_TOKEN:
        raise BadSignature("longer than any token of ours")
    segments = token.split(".")
    if len(segments) != 3:
        raise BadSignature("not a compact JWS")
    head, _, _ = map(_decoded, segments)
    header = _HEADER.fullmatch(head)
    if header is None:
        raise BadSignature(f"the header must be alg {_ALGORITHM}, kid and typ, and nothing else")
    return Signed(header[1].decode(), header[2].decode(), token)


def payload_of(signed: Signed, *, public: str, typ: str) -> bytes:
    """The payload, once the signature by `public` is checked. Raises BadSignature unless all of it is right."""
    if signed.typ != typ:
        raise BadSignature(f"typ is not {typ}")
    key = _public(public)
    if key.thumbprint() != signed.kid:
        raise BadSignature("kid is not the key's thumbprint")
    try:
        found = jws.deserialize_compact(signed.token, key, registry=_LIMITS)
    except JoseError:
        raise BadSignature("the signature does not fit") from None
    return found.payload


def unchecked_payload(signed: Signed) -> bytes:
    """What the token claims, BEFORE any check: only to find the key that it must then be checked with."""
    return _decoded(signed.token.split(".")[1])


def _private(secret: bytes) -> OKPKey:
    return OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(secret))


def _public(public: str) -> OKPKey:
    try:
        raw = _decoded(public)
    except BadSignature:
        raise ValueError("a public key is base64url, without padding") from None
    if len(raw) != _KEY_BYTES:
        raise ValueError("a public key has 32 bytes")
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": public})


def _decoded(segment: str) -> bytes:
    """The bytes of the one base64url spelling they have; usual decoders pass over odd letters and spare bits."""
    try:
        raw = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise BadSignature("not base64url") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
        raise BadSignature("not base64url as it is written")
    return raw
