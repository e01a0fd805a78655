"""Each process starts, answers its probes, and leaves at once when asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest
from httpx import Client, HTTPTransport

from shared.embedded.postgres import free_port
from shared.retry import until

pytestmark = pytest.mark.postgres
