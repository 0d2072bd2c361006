"""The lock of Kafka's jars: whole, pinned, and free of anybody's host."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.stack.jars import LOCK, read_lock


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_committed_lock_holds_the_broker_and_a_log_binding() -> None:
    versions = {jar.artifact: jar.version for jar in read_lock()}
    assert versions["kafka_2.13"] == "4.3.1"
    assert versions["kafka-clients"] == "4.3.1"
    assert "log4j-slf4j-impl" in versions


def test_the_committed_lock_names_no_host() -> None:
    assert "://" not in LOCK.read_text()


def test_a_coordinate_may_have_a_classifier(tmp_path: Path) -> None:
    lock = write(tmp_path / "lock", f"# comment\n\norg.x:lib:1.0:linux sha256:{'a' * 64}\n")
    (jar,) = read_lock(lock)
    assert (jar.group, jar.artifact, jar.version, jar.classifier) == ("org.x", "lib", "1.0", "linux")
    assert jar.coordinate == "org.x:lib:1.0:linux"


@pytest.mark.parametrize("line", ["org.x:lib:1.0", "org.x:lib sha256:" + "a" * 64, "org.x:lib:1.0 sha256:abc"])
def test_a_line_without_a_whole_pin_is_refused_by_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        read_lock(write(tmp_path / "lock", f"# comment\n{line}\n"))
