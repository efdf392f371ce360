"""Warmth before classes begin."""

from brihaspati import settings
from brihaspati.entrypoints.aws_lambda.minutes import Warmth
from brihaspati.wiring import cloud
from brihaspati.wiring.functions import surroundings

_house = cloud.cloud(surroundings.read())
handler = Warmth(_house.engine, _house.services.of("lambda"), settings.warmed())
