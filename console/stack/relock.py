"""Write `kafka-jars.lock` anew: `python -m console.stack.relock`, after changing a version here."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from console.stack.jars import LOCK

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka logs through slf4j 1.7 and brings no binding.
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"
_HEAD = """\
# The jars of the local Kafka broker, and the only bytes each may have. Order is the class path's.
# Made by `python -m console.stack.relock`; review a change like code: this is code.
"""


def main() -> None:
    """Resolve both roots and their runtime dependencies, and write coordinates and hashes."""
    lines: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as cache:
        # One at a time: together, log4j's dependency management would choose Kafka's versions.
        for root in (KAFKA, LOG_BINDING):
            maven = MavenContext(repo_cache=Path(cache), timeout=60)
            roots, needed = maven.resolver.resolve([maven.create_dependency(root)])
            for dependency in [*roots, *needed]:
                artifact = dependency.artifact
                if artifact.packaging != "jar" or (dependency.scope or "runtime") == "provided":
                    continue
                sha256 = hashlib.sha256(artifact.resolve().read_bytes()).hexdigest()
                name = f"{artifact.groupId}:{artifact.artifactId}"
                coordinate = ":".join(p for p in (name, artifact.version, artifact.classifier) if p)
                # The first root's choice of a version stands.
                lines.setdefault(f"{name}:{artifact.classifier}", f"{coordinate} sha256:{sha256}")
    LOCK.write_text(_HEAD + "\n".join(lines.values()) + "\n")
    print(f"{LOCK}: {len(lines)} jars")


if __name__ == "__main__":
    main()
