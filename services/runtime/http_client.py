"""HTTP to addresses that we were given: straight there, whatever proxy the environment names.

A proxy of the environment is for the way out of a company's network. Ours are loopback, a cluster's own network,
or a witness whom the operator named: none of them may go through somebody in between, or be out of reach because a
shell has `http_proxy` set.
"""

from __future__ import annotations

import urllib.request


def direct(*handlers: urllib.request.BaseHandler) -> urllib.request.OpenerDirector:
    """An opener that asks no proxy; with further handlers of the caller's. Connects to nothing yet."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)
