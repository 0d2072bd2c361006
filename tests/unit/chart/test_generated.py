"""What `make docs` writes comes from the code, and from all of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from console.topics.plan import wanted_configs
from scripts import chart_schema, discover, gen_docs
from services.contracts import topics
from services.runtime.metrics import declared_in
from services.runtime.settings_text import is_secret


def schema() -> Any:
    return json.loads(gen_docs.generated()["helm/signpost/values.schema.json"])


def created_by(script: str, folder: Path) -> dict[str, list[str]]:
    """What the script asks of Kafka's tool: its words, by topic."""
    log = folder / "asked"
    tool = folder / "kafka-topics.sh"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{log}\n')
    tool.chmod(0o755)
    path = folder / "topics.sh"
    path.write_text(script)
    environment = {
        "KAFKA_TOPICS_TOOL": str(tool),
        "KAFKA_BOOTSTRAP": "kafka:9092",
        "REPLICATION_FACTOR": "3",
        "MIN_INSYNC_REPLICAS": "2",
    }
    subprocess.run(["/bin/sh", path], env=environment, check=True, timeout=30)
    asked = [line.split() for line in log.read_text().splitlines()]
    return {words[words.index("--topic") + 1]: words for words in asked}


def test_the_script_makes_every_topic_with_every_column(tmp_path: Path) -> None:
    asked = created_by(gen_docs.topics_script(), tmp_path)
    assert list(asked) == [topic.name for topic in topics.ALL]
    for topic in topics.ALL:
        words = asked[topic.name]
        assert words[:2] == ["--bootstrap-server", "kafka:9092"]
        assert "--if-not-exists" in words
        assert words[words.index("--partitions") + 1] == str(topic.partitions)
        assert words[words.index("--replication-factor") + 1] == str(topic.replication_factor)
        given = {words[i + 1] for i, word in enumerate(words) if word == "--config"}
        assert given == {f"{name}={value}" for name, value in wanted_configs(topic, brokers=3).items()}


@pytest.mark.parametrize("service", gen_docs.CHART_SERVICES)
def test_a_setting_goes_where_it_belongs_and_nowhere_else(service: str) -> None:
    block = schema()["properties"][service]["properties"]
    for name, field in discover.settings_classes()[service].model_fields.items():
        in_open = name.upper() in block["settings"]["properties"]
        by_secret = name.upper() in block["secrets"]["properties"]
        by_mount = name.upper() in block["mounts"]["properties"]
        assert in_open + by_secret + by_mount == (name not in chart_schema.SET_BY_CHART), name
        assert not (in_open and is_secret(field)), name


def test_what_the_chart_sets_is_a_setting_of_some_service() -> None:
    fields = {name for one in discover.settings_classes().values() for name in one.model_fields}
    assert fields >= chart_schema.SET_BY_CHART


def test_bounds_of_a_setting_are_the_services_own() -> None:
    cameras = schema()["properties"]["ingest"]["properties"]["settings"]["properties"]["MAX_CAMERAS"]
    assert (cameras["minimum"], cameras["maximum"]) == (1, 1024)
    assert "default" not in cameras


def test_no_object_of_the_schema_takes_any_name_but_those_that_are_yours_to_choose() -> None:
    def open_objects(node: Any, path: str) -> list[str]:
        if isinstance(node, list):
            return [found for each in node for found in open_objects(each, path)]
        if not isinstance(node, dict):
            return []
        here = [path] if node.get("type") == "object" and node.get("additionalProperties") is not False else []
        return here + [found for name, each in node.items() for found in open_objects(each, f"{path}/{name}")]

    # Labels, and what goes to Kubernetes as it is: peers, rules, tolerations.
    yours = ("labels", "podAnnotations", "nodeSelector", "items")
    assert [path for path in open_objects(schema(), "") if not path.endswith(yours)] == []


@pytest.mark.parametrize("service", gen_docs.CHART_SERVICES)
def test_every_service_is_in_the_documents(service: str) -> None:
    documents = gen_docs.generated()
    assert f"\n## {service}\n" in documents["docs/configuration.md"]
    for spec in declared_in(discover.metrics_modules()[service]):
        assert f"| `{spec.name}` |" in documents["docs/metrics.md"]


def test_a_check_names_what_is_out_of_date_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(discover, "ROOT", tmp_path)
    monkeypatch.setattr(gen_docs, "generated", lambda: {"docs/a.md": "new", "docs/b.md": "same"})
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("old")
    (tmp_path / "docs/b.md").write_text("same")
    monkeypatch.setattr("sys.argv", ["gen_docs.py", "--check"])
    assert gen_docs.main() == 1
    assert capsys.readouterr().err == "docs/a.md is out of date: run `make docs` and commit the result\n"
    assert (tmp_path / "docs/a.md").read_text() == "old"
    monkeypatch.setattr("sys.argv", ["gen_docs.py"])
    assert gen_docs.main() == 0
    assert (tmp_path / "docs/a.md").read_text() == "new"
