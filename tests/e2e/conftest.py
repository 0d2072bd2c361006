"""End to end tests look at the reviewers' page in the browser of the page's own tests."""

from __future__ import annotations

from tests.integration.review.web.conftest import browser

__all__ = ["browser"]
