"""The hub by itself: two supervisors on one machine make one cluster."""

from __future__ import annotations

from tests.cluster.command import Command


def test_nodes_of_two_supervisors_meet_on_one_hub(tmp_path):
    """Nodes find each other by --bus local:///PATH and show their names; the socket goes with the hub."""
    path = tmp_path / "bus.sock"
    serve = ("serve", "tests.cluster.app:app", "--port=0", "--workers=1", f"--bus=local://{path}")
    with Command("hub", f"--socket={path}") as hub:
        hub.wait_for("--bus local://")
        with Command(*serve, "--node-name=left") as left, Command(*serve, "--node-name=right") as right:
            left.wait_for(r"left-1 socketio_cluster.manager: .*right-1")
            right.wait_for(r"right-1 socketio_cluster.manager: .*left-1")
    assert not path.exists()
