"""Ending machines, for SQS."""

from brihaspati.wiring.functions import workers

handler = workers.ender()
