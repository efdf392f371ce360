"""What trainers do with their classes."""

from brihaspati.entrypoints.http import trainer
from brihaspati.wiring.functions import people

handler = people.web("api_trainer", trainer)
