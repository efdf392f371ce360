"""A cloud stops believing our token in the middle of a class."""

from __future__ import annotations

import pytest

from brihaspati_cloudsim.account import Lags
from rented import stand_in
from rented.classroom import Rented


@pytest.mark.parametrize("cloud", stand_in.CLOUDS)
def test_labs_that_run_go_on_others_are_told_and_no_machine_is_forgotten(cloud: str) -> None:
    rented = Rented(lags=Lags.none(), usual=cloud)
    room = rented.classroom()
    asha, ben = rented.play(room, 1), rented.play(room, 2)
    rented.pass_time(60)
    assert [one.phase for one in rented.sandboxes()] == ["ready", "ready"]
    tokens = rented.sky.world.accounts[cloud].tokens
    for token in tokens.values():
        token.revoked = True

    rented.stop(asha)
    rented.play(room, 3)
    rented.pass_time(400)
    stopped, running, late = rented.sandboxes()
    assert (stopped.phase, running.phase, late.phase) == ("stopping", "ready", "failed")
    assert late.reason
    assert len(rented.sky.world.running()) == 2, "Asha's is not believed gone, nor is a third there"

    for token in tokens.values():
        token.revoked = False
    rented.pass_time(200)
    assert rented.sandboxes()[0].phase == "gone"
    rented.stop(ben)
    rented.pass_time(120)
    assert rented.sky.world.running() == []
    assert all(one.at_rest for one in rented.sandboxes())
