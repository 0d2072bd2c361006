"""match without its gate: what a town must find out, or its verdicts mean nothing. For tests alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from unittest import mock

from services.contracts.authorisation.approvals import Verified
from services.contracts.authorisation.bridge import as_authority
from services.contracts.standing import Standing
from services.match.settings import MatchSettings
from services.match.wiring import build
from services.runtime import process
from services.runtime.authority_watch import AuthorityWatch
from tests.fakes.standing import OpenStanding

_built_for = AuthorityWatch.built_for


def _open(watch: AuthorityWatch, verified: Verified, on_replaced: Callable[[], None]) -> Standing:
    _built_for(watch, verified, on_replaced)  # it is ready like any other
    return OpenStanding(as_authority(verified))


if __name__ == "__main__":
    with mock.patch.object(AuthorityWatch, "built_for", _open):
        sys.exit(process.run("match", MatchSettings, build))
