#!/bin/sh
# Makes .venv from requirements.lock with the given Python. Needs nothing but that Python.
set -eu
python=${1:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Signpost needs Python 3.11 or later; run e.g.: make demo PYTHON=python3.12" >&2
    exit 1
}
if [ ! -x .venv/bin/python ]; then
    "$python" -m venv .venv || {
        echo "This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2
        exit 1
    }
fi
# A fast installer into the environment itself; hard-links from its cache, and checks every hash of the lock.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/uv.txt
echo "installing the locked packages (6 GB on disk with torch's CUDA libraries; seconds from a warm cache)"
.venv/bin/uv pip install --quiet --require-hashes -r requirements.lock
.venv/bin/uv pip install --quiet --no-deps --editable .
touch .venv/.done
