"""Two robots in two namespaces with one twin, one of them remapped: each does its own face and sees its own books."""

import tempfile
from pathlib import Path

from launching import LAUNCH, commands
from peer import LATCHED, RELIABLE, Process, aisle, equal, note, run

from action_msgs.msg import GoalStatus
from shelfwright_msgs.action import RunMission
from shelfwright_msgs.msg import Sightings

def fast(folder):
    """Our parameters for simulation, four times as fast."""
    path = folder / "fast.yaml"
    path.write_text((LAUNCH / "params" / "sim.yaml").read_text().replace("speed: 1.0", "speed: 4.0"))
    return str(path)


def main(peer):
    folder = Path(tempfile.mkdtemp())
    (folder / "pair.toml").write_text(aisle(seed=3, robots=2))
    run_folder = str(folder / "run")
    seen = {r: peer.hear(Sightings, f"/{r}/sightings", RELIABLE) for r in ("inv_1", "inv_2")}
    sim, first, second = (line[1:] for line in commands("fleet.launch.py", sim="true", scenario=str(folder / "pair.toml"),
                                                        out=run_folder, sim_params=fast(folder)))
    # The second one is told its namespace by a remapping in place of a name.
    second = [arg for arg in second if arg not in ("--robot", "inv_2")]
    second += ["-r", "__ns:=/inv_2"]
    second[1:1] = ["--start", "0.6,2.75,0"]
    with Process(*sim):
        peer.until("the twin's clock", lambda: peer.node.count_publishers("/clock"))
        with Process(*first), Process(*second):
            results = {}
            for robot, face in (("inv_1", "1F/R01A"), ("inv_2", "1F/R01B")):
                client = peer.action(RunMission, f"/{robot}/run_mission")
                handle = peer.send(client, RunMission.Goal(mission=robot, faces=[face]))
                equal(handle.accepted, True, robot)
                results[robot] = handle.get_result_async()
            for robot, result in results.items():
                peer.until(f"the mission of {robot}", result.done, 180)
                equal(result.result().status, GoalStatus.STATUS_SUCCEEDED, f"{robot}: {result.result().result.reason}")
    for robot, face in (("inv_1", "1F/R01A"), ("inv_2", "1F/R01B")):
        scans = {m.scan.rsplit("/", 1)[0] for m in seen[robot]}
        equal(scans, {f"{robot}/{face}"}, "scans")
        own = {bytes(s.uid) for m in seen[robot] for s in m.sightings if s.face == face and s.face_probability > 0.5}
        note(f"{robot}: {len(own)} books on {face}")
        if len(own) < 50:
            raise AssertionError(f"{robot} has seen {len(own)} books on {face}")


if __name__ == "__main__":
    run(main)
