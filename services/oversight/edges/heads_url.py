"""Signed heads, sent to an address of somebody who is not the operator."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from services.contracts.audit.chain import SignedTreeHead
from services.contracts.audit.lines import encode_line
from services.contracts.errors import Misconfigured
from services.oversight.ports import Unanchored
from services.runtime.http_client import direct

# A sink that takes longer is asked again; nothing but its own thread waits.
_TIMEOUT_S = 10.0


class HeadsUrl:
    """A `Sink`: each head is one POST of the line that `signpost audit verify --head` reads, answered with 2xx.

    The same head may come twice. A head is signed and says nothing about anybody, so plain HTTP is admitted, too:
    what it lacks is only that nobody may hold it back. One thread's.
    """

    def __init__(self, url: SecretStr) -> None:
        """Raises Misconfigured, naming the setting and not the address: it may have a token in it."""
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Misconfigured("AUDIT_HEADS_URL: must be http://host/... or https://host/...")
        self._url = url
        self.name = f"url {parts.hostname}"
        # No proxy from the environment, and no redirect: both would send it to somebody else.
        self._opener = direct(_NoRedirect())

    def take(self, signed: SignedTreeHead) -> None:
        """Taken on return: the sink has answered with 2xx."""
        request = urllib.request.Request(  # noqa: S310 - the scheme is looked at above
            self._url.get_secret_value(),
            data=encode_line(signed),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            self._opener.open(request, timeout=_TIMEOUT_S).close()
        except urllib.error.HTTPError as refused:
            refused.close()
            raise Unanchored(f"answered with {refused.code}") from None
        # Its text may have the address in it.
        except (OSError, http.client.HTTPException) as failed:
            raise Unanchored(type(failed).__name__) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:  # noqa: ANN401 - its base has no types
        """None: the answer stands, and is no 2xx."""
