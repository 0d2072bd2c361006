"""What wakes people, and what they are then told to do: rules, runbooks, and the metrics both name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import promql_parser
import pytest
import typer
import yaml

from console.__main__ import build
from scripts.discover import metrics_modules
from services.runtime.metrics import Histogram, Spec, declared_in, fixed_values
from tests.architecture.imports import ROOT

RULES = ROOT / "helm/signpost/files/alerts/signpost.rules.yaml"
TESTS = ROOT / "helm/signpost/files/alerts/tests"
RUNBOOKS = ROOT / "docs/runbooks"
_HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
# Made by Prometheus itself.
_PROMETHEUS_OWN = {"up"}
_METRIC = re.compile(r"\bsignpost_[a-z0-9_]+\b")
_COMMAND = re.compile(r"`signpost ([a-z]+) ([a-z]+)")


@cache
def rules() -> tuple[Mapping[str, Any], ...]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return tuple(rule for group in groups for rule in group["rules"])


@cache
def declared() -> dict[str, Spec]:
    """Every series a service exposes, by name; a histogram has three."""
    series: dict[str, Spec] = {}
    for spec in declared_in(*metrics_modules().values()):
        suffixes = ("_bucket", "_sum", "_count") if isinstance(spec, Histogram) else ("",)
        series |= {spec.name + suffix: spec for suffix in suffixes}
    return series


def selectors(node: Any) -> Iterator[promql_parser.VectorSelector]:
    """Every selector of an expression, however deep."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
        return
    for part in ("expr", "lhs", "rhs", "vector_selector", "param"):
        if (inner := getattr(node, part, None)) is not None:
            yield from selectors(inner)
    for argument in getattr(node, "args", None) or ():
        yield from selectors(argument)


def names() -> list[str]:
    return [rule["alert"] for rule in rules()]


@pytest.fixture(params=names())
def rule(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    return next(each for each in rules() if each["alert"] == request.param)


def test_an_alert_says_how_bad_it_is_how_long_it_waits_and_what_follows(rule: Mapping[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["for"]
    assert set(rule["annotations"]) == {"summary", "consequence", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"


def test_the_reason_for_an_alerts_waiting_stands_above_it(rule: Mapping[str, Any]) -> None:
    text = RULES.read_text("utf-8").partition(f"- alert: {rule['alert']}\n")[2].partition("\n        for:")
    assert text[1]
    assert text[0].splitlines()[-1].strip().startswith("#")


def test_an_alert_has_a_runbook_with_the_four_headings(rule: Mapping[str, Any]) -> None:
    lines = (RUNBOOKS / f"{rule['alert']}.md").read_text("utf-8").splitlines()
    assert lines[0] == f"# {rule['alert']}"
    assert [line[3:] for line in lines if line.startswith("## ")] == _HEADINGS


def test_an_alert_names_declared_metrics_and_values_of_their_labels(rule: Mapping[str, Any]) -> None:
    found = list(selectors(promql_parser.parse(rule["expr"])))
    assert found
    for selector in found:
        if selector.name in _PROMETHEUS_OWN:
            continue
        assert selector.name in declared(), f"{rule['alert']} names {selector.name}: no service declares it"
        labels = declared()[selector.name].labels
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels, f"{selector.name} has no label {matcher.name}"
            assert matcher.value in fixed_values(labels[matcher.name])


def test_an_alert_is_tested_firing_and_not_firing(rule: Mapping[str, Any]) -> None:
    cases = [
        case
        for path in TESTS.glob("*.yaml")
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == rule["alert"]
    ]
    assert any(case["exp_alerts"] for case in cases), "never seen firing"
    assert any(not case["exp_alerts"] for case in cases), "never seen silent"


def test_a_selector_deep_in_an_expression_is_seen() -> None:
    text = "histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) > 1 or absent(b{x='y'} == 1) * -c"
    assert [selector.name for selector in selectors(promql_parser.parse(text))] == ["a_bucket", "b", "c"]


def test_every_runbook_belongs_to_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(names())


@pytest.mark.parametrize("name", names())
def test_a_runbook_names_declared_metrics_and_real_commands_and_pages(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    known = {spec.name for spec in declared().values()} | set(declared())
    assert set(_METRIC.findall(text)) <= known
    for group, command in set(_COMMAND.findall(text)):
        commands = typer.main.get_command(build([group])).commands[group].commands  # type: ignore[attr-defined]
        assert command in commands, f"signpost {group} {command} is no command"
    for page in re.findall(r"\]\(([^)]+)\)", text):
        assert (RUNBOOKS / page).exists()
