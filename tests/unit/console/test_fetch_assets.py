"""Fetched data: only the pinned bytes are ever written or used."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts.fetch_assets import Asset, AssetError, Distribution, fetch, read_table

PORTRAIT = b"the pixels of a portrait"


def an_asset(content: bytes = PORTRAIT, *, member: str = "pkg/portrait.jpg") -> Asset:
    sha256 = hashlib.sha256(content).hexdigest()
    return Asset("pictures", "portrait.jpg", member, sha256, len(content), "public domain", "an archive")


def a_distribution(asset: Asset, *, kind: str = "wheel") -> Distribution:
    return Distribution("pkg", "1.0", kind, "0" * 64, (asset,))


class FakeIndex:
    """Hands out one archive holding `content`, and counts how often it was asked."""

    def __init__(self, content: bytes = PORTRAIT) -> None:
        self.content = content
        self.downloads = 0

    def download(self, distribution: Distribution, folder: Path) -> Path:
        self.downloads += 1
        member = "pkg/portrait.jpg"
        if distribution.kind == "wheel":
            path = folder / "pkg-1.0-py3-none-any.whl"
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr(member, self.content)
                wheel.writestr("pkg/other.jpg", b"not asked for")
        else:
            path = folder / "pkg-1.0.tar.gz"
            with tarfile.open(path, "w:gz") as sdist:
                entry = tarfile.TarInfo(member)
                entry.size = len(self.content)
                sdist.addfile(entry, io.BytesIO(self.content))
        return path


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_only_the_needed_member_is_extracted(tmp_path: Path, kind: str) -> None:
    table = [a_distribution(an_asset(), kind=kind)]
    assert [how for _, how in fetch(table, ["pictures"], tmp_path, FakeIndex().download)] == ["fetched"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [tmp_path / "pictures" / "portrait.jpg"]
    assert files[0].read_bytes() == PORTRAIT


def test_a_member_with_wrong_bytes_is_refused_and_not_written(tmp_path: Path) -> None:
    forged = FakeIndex(b"somebody else")
    with pytest.raises(AssetError, match=r"refused pkg/portrait\.jpg.*assets\.toml pins.*not written"):
        list(fetch([a_distribution(an_asset())], ["pictures"], tmp_path, forged.download))
    assert not list(tmp_path.rglob("*.jpg"))


def test_a_present_file_is_left_alone_and_nothing_is_downloaded(tmp_path: Path) -> None:
    index, table = FakeIndex(), [a_distribution(an_asset())]
    list(fetch(table, ["pictures"], tmp_path, index.download))
    assert [how for _, how in fetch(table, ["pictures"], tmp_path, index.download)] == ["present"]
    assert index.downloads == 1


def test_a_present_file_with_wrong_bytes_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "pictures" / "portrait.jpg"
    target.parent.mkdir()
    target.write_bytes(b"tampered")
    with pytest.raises(AssetError, match="delete it and run this again"):
        list(fetch([a_distribution(an_asset())], ["pictures"], tmp_path, FakeIndex().download))
    assert target.read_bytes() == b"tampered"


def test_a_group_that_was_not_asked_for_is_not_downloaded(tmp_path: Path) -> None:
    index = FakeIndex()
    assert list(fetch([a_distribution(an_asset())], ["models"], tmp_path, index.download)) == []
    assert index.downloads == 0


def test_a_member_that_is_not_in_the_archive_is_named(tmp_path: Path) -> None:
    table = [a_distribution(an_asset(member="pkg/moved.jpg"))]
    with pytest.raises(AssetError, match=r"holds no file pkg/moved\.jpg"):
        list(fetch(table, ["pictures"], tmp_path, FakeIndex().download))


def test_the_committed_table_pins_everything_and_names_licences_and_sources() -> None:
    assets = [asset for distribution in read_table() for asset in distribution.assets]
    assert {asset.group for asset in assets} == {"models", "pictures", "dlib"}
    for asset in assets:
        assert len(asset.sha256) == 64
        assert asset.bytes > 0
        assert asset.licence
        assert asset.source
