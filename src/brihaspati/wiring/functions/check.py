"""Running the scripts of labs, for SQS."""

from brihaspati.wiring.functions import checking

handler = checking.checker()
