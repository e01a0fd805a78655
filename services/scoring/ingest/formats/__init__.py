"""The formats that senders use: each turns a body into events with our field names."""

from __future__ import annotations
