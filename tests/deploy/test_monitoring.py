"""Alerts and dashboard ask for metrics that there are, in PromQL that parses, and each alert has its runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric

from services.cli.docs.tables import tables
from services.cli.processes import PROCESSES
from shared.http.metrics import ConditionFailures
from tests.deploy.compose import PROBE_PORT, ROOT, SERVICES

DEPLOY = ROOT / "deploy"
PROMETHEUS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
GROUPS: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())[
    "groups"
]
ALERTS = [rule for group in GROUPS for rule in group["rules"]]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/leadbaton.json").read_text())
PANELS = [it for it in DASHBOARD["panels"] if it["type"] != "row"]
RUNBOOKS = (ROOT / "docs/runbooks.md").read_text()

SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
}
OF_EXPORTERS = {
    "node_filesystem_avail_bytes": {"device", "fstype", "mountpoint"},
    "node_filesystem_size_bytes": {"device", "fstype", "mountpoint"},
    "pg_up": set[str](),
    "pg_stat_activity_count": {"datname", "state"},
    "pg_settings_max_connections": {"server"},
    "kafka_brokers": set[str](),
}
"""What alerts ask of the exporters in docker-compose.yml, with the labels that their documentation names."""

ADDED_BY_PROMETHEUS = {"job", "instance", "le"}
OF_EVERY_PROCESS = {"up", "process_start_time_seconds"}
"""What Prometheus, or its client, knows of each process: without labels of ours."""


def queries() -> Iterator[tuple[str, str]]:
    """Every query of an alert or a panel, with the name of the alert or panel."""
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "1m")


QUESTIONS = [pytest.param(expr, id=who) for who, expr in queries()]


def families() -> dict[str, Metric]:
    """Every metric of every module, by the name that it is asked by."""
    tables()  # imports all of them
    return {
        family.name + suffix: family
        for family in REGISTRY.collect()
        for suffix in SUFFIXES.get(family.type, ())
    }


def labels_of(name: str) -> set[str]:
    """The labels that the metric's own module gives it."""
    if name in OF_EXPORTERS:
        return OF_EXPORTERS[name]
    collector = REGISTRY._names_to_collectors[name]
    if isinstance(collector, ConditionFailures):
        return {"rule", "cause"}
    assert isinstance(collector, MetricWrapperBase)
    return set(collector._labelnames)


def selectors(expr: Any) -> list[promql.VectorSelector]:
    """Every metric that the question asks for."""
    vectors: list[promql.VectorSelector] = []

    def look(node: Any) -> bool:
        if isinstance(node, promql.VectorSelector):
            vectors.append(node)
        elif isinstance(node, promql.MatrixSelector):
            vectors.append(node.vector_selector)
        return True

    promql.walk(expr, look)
    return vectors


@pytest.mark.parametrize("expr", QUESTIONS)
def test_each_question_parses_and_asks_for_metrics_that_there_are(expr: str) -> None:
    known = families()

    queried = selectors(promql.parse(expr))

    assert queried
    for selector in queried:
        if selector.name not in OF_EVERY_PROCESS:
            assert selector.name in {*known, *OF_EXPORTERS}
            matched = {it.name for it in selector.matchers.matchers}
            assert matched <= labels_of(str(selector.name)) | ADDED_BY_PROMETHEUS


@pytest.mark.parametrize("expr", QUESTIONS)
def test_what_is_grouped_by_is_a_label_of_what_is_asked_for(expr: str) -> None:
    asked_for = {str(it.name) for it in selectors(promql.parse(expr))} - OF_EVERY_PROCESS
    labels = set[str]().union(*map(labels_of, asked_for)) | ADDED_BY_PROMETHEUS

    for grouped in re.findall(r"by \(([^)]*)\)", expr):
        assert names_in(grouped) <= labels


def test_nonsense_does_not_pass_for_a_question() -> None:
    for nonsense in ("sum(", "rate(leadbaton_lag_records)", "by (x)"):
        with pytest.raises(ValueError, match=r"."):
            promql.parse(nonsense)


@pytest.mark.parametrize("rule", ALERTS, ids=[it["alert"] for it in ALERTS])
def test_each_alert_says_what_is_wrong_how_urgent_it_is_and_where_help_is(
    rule: dict[str, Any],
) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert page == "docs/runbooks.md"
    assert anchor == rule["alert"].lower()
    assert rule["alert"] in headings(RUNBOOKS)
    labels = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
    assert set(labels) <= result_labels(rule["expr"])


def test_no_runbook_is_for_an_alert_that_there_is_not() -> None:
    assert sorted(headings(RUNBOOKS)) == sorted(it["alert"] for it in ALERTS)


def test_prometheus_looks_at_every_process_where_it_answers() -> None:
    looked_at = {
        job["job_name"]: (sd["names"], sd["port"])
        for job in PROMETHEUS["scrape_configs"]
        for sd in job.get("dns_sd_configs", ())
    }
    assert looked_at == {it.name: ([it.name], it.port or PROBE_PORT) for it in PROCESSES}
    assert PROMETHEUS["rule_files"] == ["alerts.yml"]


def test_prometheus_looks_at_every_exporter() -> None:
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in PROMETHEUS["scrape_configs"]
        if "static_configs" in job
    }
    ports = {
        name: re.findall(r"127\.0\.0\.1:(\d+)/", it["healthcheck"]["test"][-1])[0]
        for name, it in SERVICES.items()
        if name.endswith("-exporter")
    }
    assert targets == {name: [f"{name}:{port}"] for name, port in ports.items()}


def test_a_process_that_runs_nowhere_is_missed() -> None:
    [missing] = [it for it in ALERTS if it["alert"] == "ProcessMissing"]
    assert set(re.findall(r'job="([^"]+)"', missing["expr"])) == {it.name for it in PROCESSES}


def test_the_dashboard_shows_every_metric_of_ours() -> None:
    """What nobody looks at is not worth measuring."""
    names = {str(it.name) for _, expr in queries() for it in selectors(promql.parse(expr))}
    ours = {it.name: it for it in families().values() if it.name.startswith("leadbaton_")}
    assert {
        name
        for name, family in ours.items()
        if not names & {name + suffix for suffix in SUFFIXES[family.type]}
    } == set()


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    ids = [it["id"] for it in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    provisioned = DEPLOY / "grafana/provisioning"
    source = yaml.safe_load((provisioned / "datasources/prometheus.yml").read_text())
    [prometheus] = source["datasources"]
    assert {it["datasource"]["uid"] for it in PANELS} == {prometheus["uid"]}
    positions = [tuple(it["gridPos"].values()) for it in DASHBOARD["panels"]]
    assert len(positions) == len(set(positions))
    assert all(it["gridPos"]["x"] + it["gridPos"]["w"] <= 24 for it in DASHBOARD["panels"])


def headings(page: str) -> list[str]:
    """The alerts that the page has a chapter for."""
    return re.findall(r"^### (\w+)$", page, re.MULTILINE)


def result_labels(expr: str) -> set[str]:
    """The labels that an alert can name: those that it groups by last, or all of `up`."""
    grouped = re.search(r"by \(([^)]*)\)", expr)
    if grouped is None:
        return {"job", "instance"} if "up" in expr else set()
    return names_in(grouped[1])


def names_in(listed: str) -> set[str]:
    return set(filter(None, re.split(r"[,\s]+", listed)))
