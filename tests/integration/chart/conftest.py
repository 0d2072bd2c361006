"""Helm itself, fetched once by pinned hash."""

from __future__ import annotations

import pytest

from scripts.fetch_helm import HelmUnavailableError, fetch
from tests.integration.chart.rendering import VALUE_SETS, Helm, Manifest
from tests.integration.stack import missing_server


@pytest.fixture(scope="session")
def helm() -> Helm:
    """The program; skips with the reason where there is none for this machine."""
    try:
        return Helm(fetch())
    except HelmUnavailableError as missing:
        missing_server(str(missing))


@pytest.fixture(scope="session", params=VALUE_SETS)
def rendered(helm: Helm, request: pytest.FixtureRequest) -> list[Manifest]:
    """The chart's objects, once for each set of values."""
    return helm.template(*VALUE_SETS[request.param])


@pytest.fixture(scope="session")
def default(helm: Helm) -> list[Manifest]:
    """The chart's objects as it ships."""
    return helm.template()
