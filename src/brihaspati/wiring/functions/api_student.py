"""What students do in a class and with their labs."""

from brihaspati.entrypoints.http import guide, student
from brihaspati.wiring.functions import people

handler = people.web("api_student", student, guide)
