"""The topics as an AsyncAPI 3.1 document."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from shared.contracts.topic import Topic
from shared.contracts.topics import (
    ALIGNMENT,
    CAMPAIGNS_COUNTED,
    CAPACITY_PLANNED,
    HANDOFFS_CHANGED,
    LEADS_KNOWN,
    LEADS_MERGED,
    LEADS_QUALIFIED,
    LEADS_TOUCHED,
    MARKETING_EVENTS,
    ROUTING,
    SCORING,
    SLA,
    SLA_CHANGED,
    TOPICS,
)

WRITERS = {
    MARKETING_EVENTS.name: SCORING,
    LEADS_KNOWN.name: SCORING,
    LEADS_QUALIFIED.name: SCORING,
    LEADS_TOUCHED.name: SCORING,
    LEADS_MERGED.name: SCORING,
    HANDOFFS_CHANGED.name: ROUTING,
    SLA_CHANGED.name: SLA,
    CAMPAIGNS_COUNTED.name: ALIGNMENT,
    CAPACITY_PLANNED.name: ROUTING,
}
HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            "type": "string",
            "description": "Derived from the cause, so that a replay has the same id.",
        },
        "ce_source": {"type": "string", "description": "The service that publishes the message."},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C trace context."},
    },
}
DEAD_HEADERS = (
    "Its own headers too; added to them: dead_code, dead_reason, dead_group, dead_topic, "
    "dead_partition, dead_offset, dead_attempts, dead_first_at, dead_last_at."
)


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document: channels, their writers and readers, headers, payloads."""
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Leadbaton's topics",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka's binary mode: headers `ce_*`, a JSON value. "
            "Fields are only added to payloads; readers ignore fields that they do not know.",
        },
        "defaultContentType": "application/json",
        "channels": {name: it for topic in TOPICS for name, it in _channels(topic).items()},
        "operations": {name: it for topic in TOPICS for name, it in _operations(topic).items()},
        "components": {
            "messages": {topic.payload.__name__: _message(topic) for topic in TOPICS},
            "schemas": {name: it for topic in TOPICS for name, it in _schemas(topic).items()},
        },
    }


def _channels(topic: Topic[Any]) -> dict[str, Any]:
    message = topic.payload.__name__
    messages = {message: {"$ref": f"#/components/messages/{message}"}}
    return {
        topic.name: {"address": topic.name, "description": topic.summary, "messages": messages},
        topic.dead: {
            "address": topic.dead,
            "description": f"Records of {topic.name} that can never succeed, bytes unchanged. "
            + DEAD_HEADERS,
            "messages": {
                "DeadRecord": {"payload": {"description": "The record's value, unchanged."}}
            },
        },
    }


def _operations(topic: Topic[Any]) -> dict[str, Any]:
    channel = {"$ref": f"#/channels/{topic.name}"}
    writer = WRITERS[topic.name]
    sent = {"action": "send", "channel": channel, "summary": f"{writer} publishes it."}
    received = {
        f"{reader}.reads.{topic.name}": {
            "action": "receive",
            "channel": channel,
            "summary": f"The consumer group {reader} reads all of it.",
            "bindings": {"kafka": {"groupId": {"type": "string", "const": reader}}},
        }
        for reader in topic.readers
    }
    return {f"{writer}.publishes.{topic.name}": sent, **received}


def _message(topic: Topic[Any]) -> dict[str, Any]:
    name = topic.payload.__name__
    return {
        "name": topic.type,
        "title": name,
        "summary": topic.summary,
        "contentType": "application/json",
        "headers": {
            **HEADERS,
            "properties": {**HEADERS["properties"], "ce_type": {"const": topic.type}},
        },
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "bindings": {"kafka": {"key": {"type": "string"}}},
    }


def _schemas(topic: Topic[Any]) -> dict[str, Any]:
    """The payload's schema and those of its parts, by name."""
    schema = TypeAdapter(topic.payload).json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs", {})
    return {topic.payload.__name__: schema, **parts}
