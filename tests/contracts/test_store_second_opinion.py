"""The contract of stores on AWS's own DynamoDB Local: what dynoxide says is not the last word."""

from __future__ import annotations

from contracts import engines
from contracts.test_store import *  # noqa: F403 - every test of the contract
from contracts.test_store_expiry import *  # noqa: F403
from contracts.test_store_queries import *  # noqa: F403

OPENER = engines.SECOND_OPINION
