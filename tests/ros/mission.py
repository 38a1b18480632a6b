"""The same mission in the local host and over ROS 2: the same books at the same places, as far as two runs can agree.

The nodes run beside the twin, not in lock step with it, so commands reach it some milliseconds earlier or later than in
the local host: the robot's track and with it every read differs a little.
"""

import csv
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from peer import RELIABLE, LATCHED, Process, note, run

from shelfwright_msgs.msg import MissionState, ShelfErrors, Sightings

FACE = "1F/R01A"
SPEED = "4"


def local(folder):
    """Places by tag as the local host's bag gives them, and the true ones of the face."""
    plain = os.environ.get("SHELFWRIGHT_BIN") or os.environ["SHELFWRIGHT_ROS_BIN"]
    environment = dict(os.environ)
    if "SHELFWRIGHT_BIN" not in os.environ and os.environ.get("SHELFWRIGHT_ROS_PRELOAD"):
        environment["LD_PRELOAD"] = os.environ["SHELFWRIGHT_ROS_PRELOAD"]
    out, positions, truth = folder / "local", folder / "positions.csv", folder / "truth.csv"
    for args in (["--quiet", "sim", "--faces", FACE, "--out", out, "--truth", truth],
                 ["--quiet", "locate", out / "bag", "--out", positions]):
        subprocess.run([plain, *args], env=environment, check=True, stdout=subprocess.DEVNULL)
    with open(truth, newline="", encoding="utf8") as file:
        true = {row["epc"]: float(row["x_m"]) for row in csv.DictReader(file) if row["scan"] == FACE}
    places = {}
    with open(positions, newline="", encoding="utf8") as file:
        for row in csv.DictReader(file):
            places.setdefault(row["epc"].lower(), []).append(float(row["x_m"]))
    return places, true


def summary(name, places, true):
    """Share of the face's books that were seen, and how far off they are, m: median and 90%."""
    off = sorted(abs(statistics.mean(places[e]) - x) for e, x in true.items() if e in places)
    seen, median, most = len(off) / len(true), off[len(off) // 2], off[int(0.9 * len(off))]
    note(f"{name}: {100 * seen:.1f}% of {len(true)} books seen, off by {100 * median:.2f} cm (median), "
         f"{100 * most:.2f} cm (90%)")
    return seen, median, most


def main(peer):
    folder = Path(tempfile.mkdtemp())
    wanted, true = local(folder)
    sightings = peer.hear(Sightings, "/inv_1/sightings", RELIABLE)
    errors = peer.hear(ShelfErrors, "/shelf_errors", LATCHED)
    states = peer.hear(MissionState, "/inv_1/missions", LATCHED)
    with Process("--quiet", "sim", "--ros", "--speed", SPEED, "--out", str(folder / "ros")) as twin:
        peer.until("the twin's clock", lambda: peer.node.count_publishers("/clock"))
        up = ["up", "--run", str(folder / "ros"), "--mission", "m", "--faces", FACE]
        with Process(*up, "--ros-args", "-p", "use_sim_time:=true") as robot:
            over = (MissionState.DONE, MissionState.FAILED)
            peer.until("the mission's end", lambda: states and states[-1].state in over and errors, 240)
            note(f"state {states[-1].state}, {states[-1].reason!r}, {peer.value('twin', 'real_time_factor')}x real time")
            if states[-1].state != MissionState.DONE:
                raise AssertionError(f"the mission failed: {states[-1].reason}")
            robot.interrupt()
            twin.interrupt()
    places = {}
    for message in sightings:
        for s in message.sightings:
            places.setdefault(bytes(s.uid).hex(), []).append(s.along_m)
    for_local, for_ros = summary("local", wanted, true), summary("ros2", places, true)
    both = [e for e in true if e in places and e in wanted]
    apart = sorted(abs(statistics.mean(places[e]) - statistics.mean(wanted[e])) for e in both)
    note(f"{len(both)} books seen by both, {100 * apart[len(apart) // 2]:.2f} cm apart in the middle, "
         f"{100 * apart[int(0.9 * len(apart))]:.2f} cm at 90%")
    if for_ros[0] < for_local[0] - 0.02 or for_ros[1] > for_local[1] + 0.01:
        raise AssertionError("over ROS 2 it sees the library worse than in the local host")


if __name__ == "__main__":
    run(main)
