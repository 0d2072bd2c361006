"""Generates what the code already says (settings, metrics, topics), or with --check says what is out of date."""

from __future__ import annotations

import argparse
import sys

from console.topics.plan import wanted_configs
from scripts import chart_schema, discover
from services.contracts import topics
from services.runtime.metrics import declared_in, render_docs
from services.runtime.settings_text import render_configuration

# The services of the chart: one block of values each.
CHART_SERVICES = ("ingest", "embed", "match", "review", "oversight")
# wanted_configs caps a topic's in-sync minimum for a cluster smaller than this; here the script does.
_BROKERS = 3

_TOPICS_HEAD = """\
#!/bin/sh
# Generated from services/contracts/topics.py by `make docs`: do not edit.
# Makes the topics that are not there, with Kafka's own tool; changes none that is. What differs from the table
# is said by `signpost topics check`, and mended by `signpost topics apply`.
# Needs KAFKA_BOOTSTRAP, REPLICATION_FACTOR, MIN_INSYNC_REPLICAS.
set -eu
tool=${KAFKA_TOPICS_TOOL:-/opt/kafka/bin/kafka-topics.sh}

topic() {
    name=$1
    partitions=$2
    shift 2
    "$tool" --bootstrap-server "$KAFKA_BOOTSTRAP" --create --if-not-exists --topic "$name" \\
        --partitions "$partitions" --replication-factor "$REPLICATION_FACTOR" \\
        --config "min.insync.replicas=$MIN_INSYNC_REPLICAS" "$@"
}

"""


def topics_script() -> str:
    """helm/signpost/files/topics.sh: for the chart's job and for compose.yaml."""
    lines = []
    for topic in topics.ALL:
        configs = wanted_configs(topic, brokers=_BROKERS)
        del configs["min.insync.replicas"]
        words = [f"--config {name}={value}" for name, value in configs.items()]
        lines.append(" \\\n    ".join([f"topic {topic.name} {topic.partitions}", *words]))
    return _TOPICS_HEAD + "\n".join(lines) + "\n"


def generated() -> dict[str, str]:
    """Every generated file: its path from the root, and what it should hold."""
    classes = discover.settings_classes()
    chart = {name: classes[name] for name in CHART_SERVICES if name in classes}
    return {
        "docs/configuration.md": render_configuration(classes),
        "docs/metrics.md": render_docs(declared_in(*discover.metrics_modules().values())),
        "helm/signpost/files/topics.sh": topics_script(),
        "helm/signpost/values.schema.json": chart_schema.render(chart),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something is out of date")
    check = parser.parse_args().check
    out_of_date = []
    for name, text in generated().items():
        path = discover.ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        out_of_date.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    if not check:
        return 0
    for name in out_of_date:
        print(f"{name} is out of date: run `make docs` and commit the result", file=sys.stderr)
    return 1 if out_of_date else 0


if __name__ == "__main__":
    sys.exit(main())
