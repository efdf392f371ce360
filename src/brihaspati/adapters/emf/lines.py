"""`ports.Metrics` as lines of JSON that CloudWatch takes for metrics where they are logged.

One line a value, so that nothing is lost when the process dies. The one dimension is the
deployment: every further one would be a metric of its own, and cost.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Callable

from brihaspati import ports

NAMESPACE = "Brihaspati"


class Lines:
    """Metrics of one deployment; `say` takes one line without its end."""

    def __init__(self, env: str, clock: ports.Clock, say: Callable[[str], None] = print) -> None:
        self._env = env
        self._clock = clock
        self._say = say

    def count(self, name: ports.MetricName, value: int = 1) -> None:
        """Something happened so often."""
        self._tell(name, value, "Count")

    def took(self, name: ports.MetricName, milliseconds: int) -> None:
        """Something took so long."""
        self._tell(name, milliseconds, "Milliseconds")

    def _tell(self, name: str, value: int, unit: str) -> None:
        metric = {
            "Namespace": NAMESPACE,
            "Dimensions": [["env"]],
            "Metrics": [{"Name": name, "Unit": unit}],
        }
        line = {
            "_aws": {"Timestamp": self._clock.now(), "CloudWatchMetrics": [metric]},
            "env": self._env,
            name: value,
        }
        self._say(json.dumps(line, separators=(",", ":")))
