"""Starting machines, for SQS."""

from brihaspati.adapters import agentarchive
from brihaspati.wiring.functions import workers

handler = workers.starter(agentarchive.found().sha256)
