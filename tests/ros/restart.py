"""Nodes that die in the middle of a mission: each is started again, knows what it must, and the mission goes on to its end."""

import os
import signal
import tempfile
from pathlib import Path

from peer import LATCHED, RELIABLE, Process, aisle, equal, note, run

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
from shelfwright_msgs.msg import MissionState, ShelfErrors, Sightings
from shelfwright_msgs.srv import StartMission


def processes(parent):
    """Process numbers by node of a supervisor's children."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            args = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z" and b"node" in args:
            found[args[args.index(b"node") + 1].decode()] = int(entry.name)
    return found


def main(peer):
    folder = Path(tempfile.mkdtemp())
    (folder / "aisle.toml").write_text(aisle(seed=5))
    states = peer.hear(MissionState, "/inv_1/missions", LATCHED)
    sightings = peer.hear(Sightings, "/inv_1/sightings", RELIABLE)
    errors = peer.hear(ShelfErrors, "/shelf_errors", LATCHED)
    up = ["up", "--ros", "--sim", "--processes", "--run", str(folder / "run"), "--scenario", str(folder / "aisle.toml"),
          "--speed", "3"]
    last = lambda: states[-1]
    with Process(*up) as robot:
        nodes = ["localizer", "navigator", "pilot", "locator", "auditor", "map-server"]
        peer.until("a process of each node", lambda: set(nodes) <= set(processes(robot.process.pid)))
        peer.until("a localizer that tracks", lambda: "inv_1/localizer" in peer.health
                   and peer.health["inv_1/localizer"].message == "tracking")

        def kill(node):
            """Kills a node, and waits until another process has taken its place and speaks."""
            pid = processes(robot.process.pid)[node]
            os.kill(pid, signal.SIGKILL)
            peer.until(f"another {node}", lambda: processes(robot.process.pid).get(node, pid) != pid)
            name = f"inv_1/{node.replace('-', '_')}"
            peer.health.pop(name, None)
            peer.until(f"the {node}'s diagnostics", lambda: name in peer.health)

        # What was set and where it was in its life outlive it.
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=0.45)
        request = SetParameters.Request(parameters=[Parameter(name="steering.speed_mps", value=value)])
        equal(peer.call(SetParameters, "/inv_1/navigator/set_parameters", request).results[0].successful, True, "set")
        deactivate = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
        equal(peer.call(ChangeState, "/inv_1/map_server/change_state", deactivate).success, True, "deactivate")
        for node in ("navigator", "map-server"):
            kill(node)
        get = GetParameters.Request(names=["steering.speed_mps"])
        equal(peer.call(GetParameters, "/inv_1/navigator/get_parameters", get, again=True).values[0].double_value, 0.45, "parameter")
        state = peer.call(GetState, "/inv_1/map_server/get_state", GetState.Request(), again=True).current_state
        equal(state.id, State.PRIMARY_STATE_INACTIVE, "state")
        note("killed and started again: parameter and state as they were")

        request = StartMission.Request(mission="in spite of all", faces=["1F/R01A", "1F/R01B"])
        equal(peer.call(StartMission, "/inv_1/mission/start", request).success, True, "start")
        for node in ("navigator", "localizer", "locator", "pilot"):
            peer.until(f"a pass before the {node} dies", lambda: last().state == MissionState.SCANNING, 180)
            peer.spin(1.0)
            kill(node)
            note(f"the {node} was killed in pass {last().pass_number} over {last().face}, {last().faces_done} faces done")
            equal(last().mission, "in spite of all", "mission")
        # The first face's sightings are in the auditor's memory.
        peer.until("a face that is done", lambda: last().faces_done == 1 or last().state == MissionState.DONE, 180)
        kill("auditor")
        peer.until("the mission's end", lambda: last().state in (MissionState.DONE, MissionState.FAILED), 240)
        equal((last().state, last().faces_done, last().faces_total), (MissionState.DONE, 2, 2), last().reason)
        peer.until("the audit", lambda: errors)
        equal(sorted(errors[-1].faces), ["1F/R01A", "1F/R01B"], "faces of the audit")
        note(f"{errors[-1].seen} of {errors[-1].expected} books seen in spite of seven deaths, {len(sightings)} passes located")
        if errors[-1].seen < 0.95 * errors[-1].expected:
            raise AssertionError("too few books were seen")
        code, seconds = robot.interrupt()
        equal(code, 0, "exit code")


if __name__ == "__main__":
    run(main)
