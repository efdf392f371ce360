"""What rented machines ask and report, and the program they run."""

from brihaspati.adapters import agentarchive
from brihaspati.entrypoints.http import machines
from brihaspati.entrypoints.http.routes import Archive
from brihaspati.wiring.functions import people

_program = agentarchive.found()
handler = people.web("machines", machines, archive=Archive(_program.data, _program.sha256))
