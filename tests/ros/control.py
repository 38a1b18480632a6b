"""Whoever steers: things put into the twin, faults, a mission paused and resumed, a book asked for, a reader that falls silent."""

import os
import subprocess
import tempfile
from pathlib import Path

from peer import BEST_EFFORT, BINARY, LATCHED, RELIABLE, Process, aisle, contains, equal, note, ns, run

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import Point, Vector3
from nav_msgs.msg import Odometry
from sensor_msgs.msg import LaserScan
from shelfwright_msgs.msg import MissionState, Sightings, TagRead
from shelfwright_msgs.srv import FindBook, InjectFault, MoveThing, RemoveThing, SetSpeed, SpawnThing, StartMission
from std_srvs.srv import Trigger

def done(answer, what):
    equal((answer.success, answer.message), (True, ""), what)


def things(peer, scans):
    """A box ahead of the robot comes, moves and goes."""
    ahead = lambda: scans[-1].ranges[180]
    box = SpawnThing.Request(kind=SpawnThing.Request.BOX, name="box", at=Point(x=2.0, y=0.75), size=Vector3(x=0.4, y=0.4, z=1.0))
    done(peer.call(SpawnThing, "/twin/spawn", box), "spawn")
    peer.until("the box", lambda: abs(ahead() - 1.2) < 0.1)
    contains(peer.call(SpawnThing, "/twin/spawn", box).message, "box", "a second one of that name")
    done(peer.call(MoveThing, "/twin/move", MoveThing.Request(name="box", at=Point(x=2.5, y=0.75))), "move")
    peer.until("the box at its new place", lambda: abs(ahead() - 1.7) < 0.1)
    done(peer.call(RemoveThing, "/twin/remove", RemoveThing.Request(name="box")), "remove")
    peer.until("a free way", lambda: ahead() > 2.5)
    contains(peer.call(RemoveThing, "/twin/remove", RemoveThing.Request(name="box")).message, "nothing", "gone already")
    person = SpawnThing.Request(kind=SpawnThing.Request.PERSON, name="reader", at=Point(x=2.4, y=0.75),
                                walks_to=Point(x=2.4, y=0.75))
    done(peer.call(SpawnThing, "/twin/spawn", person), "a person")
    peer.until("the person", lambda: ahead() < 1.7)
    done(peer.call(RemoveThing, "/twin/remove", RemoveThing.Request(name="reader")), "the person goes")
    contains(peer.call(SpawnThing, "/twin/spawn", SpawnThing.Request(kind=9, name="x")).message, "allowed", "kind")
    contains(peer.call(SetSpeed, "/twin/set_speed", SetSpeed.Request(speed=-1.0)).message, "0 to 100", "speed")
    done(peer.call(SetSpeed, "/twin/set_speed", SetSpeed.Request(speed=2.0)), "speed")
    for fault, part in [('kind = "no_such"\nrobot = "inv_1"', "no_such"), ('kind = "slip"\nrobot = "inv_7"', "inv_7"),
                        ("no toml", "fault")]:
        contains(peer.call(InjectFault, "/twin/inject_fault", InjectFault.Request(fault=fault)).message, part, fault)
    note("things come, move and go; what cannot be is refused with the reason")


def stands(peer, odom):
    """Whether the robot has not moved for half a second."""
    before = odom[-1].pose.pose.position
    peer.spin(0.5)
    after = odom[-1].pose.pose.position
    return abs(after.x - before.x) + abs(after.y - before.y) < 2e-3


def mission(peer, states, odom):
    last = lambda: states[-1] if states else None
    in_state = lambda wanted: lambda: last() and last().state == wanted
    start = StartMission.Request(mission="by hand", faces=["1F/R01A"])
    trigger = lambda name: peer.call(Trigger, f"/inv_1/mission/{name}", Trigger.Request())
    contains(trigger("pause").message, "no mission", "pause without a mission")
    done(peer.call(StartMission, "/inv_1/mission/start", start), "start")
    contains(peer.call(StartMission, "/inv_1/mission/start", start).message, "under way", "a second one")
    peer.until("a pass", in_state(MissionState.SCANNING), 120)
    peer.until("first places", lambda: peer.heard["/inv_1/live_sightings"])
    uid = peer.heard["/inv_1/live_sightings"][0].sightings[0].uid
    book = peer.call(FindBook, "/inv_1/find_book", FindBook.Request(uid=uid))
    equal(book.seen, True, "seen")
    contains(book.address, "1F/R01A", "address")
    if not (0.0 < book.along_std_m < 1.0 and book.stamp.sec + book.stamp.nanosec > 0):
        raise AssertionError(f"an answer without deviation or time: {book}")
    equal(peer.call(FindBook, "/inv_1/find_book", FindBook.Request(uid=[1, 2])).seen, False, "a book that nobody saw")
    note(f"a book is at {book.address}, {100 * book.along_std_m:.1f} cm sure")

    done(trigger("pause"), "pause")
    peer.until("the pause", in_state(MissionState.PAUSED))
    peer.until("a robot that stands", lambda: stands(peer, odom))
    peer.spin(1.0)
    equal((stands(peer, odom), last().state), (True, MissionState.PAUSED), "after a while")
    # The command does the same.
    command = subprocess.run([BINARY, "mission", "resume"], capture_output=True, text=True, timeout=60, check=False,
                             env=dict(os.environ, LD_PRELOAD=os.environ.get("SHELFWRIGHT_ROS_PRELOAD", "")))
    equal(command.returncode, 0, command.stderr)
    contains(trigger("resume").message, "not paused", "a second resume")
    peer.until("the pass anew", lambda: last().state == MissionState.SCANNING and last().pass_number == 2, 120)
    note("paused: it stands; resumed: the pass is driven anew")

    # The reader falls silent.
    peer.spin(1.0)
    reads = peer.heard["/inv_1/reads"]
    reads.clear()
    peer.until("reads", lambda: reads)
    fault = InjectFault.Request(fault='kind = "reader_mute"\nrobot = "inv_1"\nfor_s = 12.0\n')
    done(peer.call(InjectFault, "/twin/inject_fault", fault), "fault")
    peer.until("the ERROR of a silent reader", lambda: peer.health["inv_1/locator"].level == DiagnosticStatus.ERROR)
    # Both by the robot's clock.
    silent_s = (peer.health_ns["inv_1/locator"] - ns(reads[-1].header.stamp)) * 1e-9
    equal(silent_s < 2.0, True, f"ERROR after {silent_s:.2f} s of silence")
    contains(peer.health["inv_1/locator"].message, "silent", "locator")
    peer.until("the mission's pause", lambda: last().state == MissionState.WAITING and "reader is silent" in last().reason)
    peer.until("the pilot's ERROR", lambda: peer.health["inv_1/pilot"].level == DiagnosticStatus.ERROR)
    peer.until("the pass once more", lambda: last().state == MissionState.SCANNING and last().pass_number == 3, 120)
    done(peer.call(SetSpeed, "/twin/set_speed", SetSpeed.Request(speed=5.0)), "speed")
    note(f"a silent reader: ERROR after {silent_s:.2f} s, the mission waits and drives the pass again")
    peer.until("the mission's end", lambda: last().state in (MissionState.DONE, MissionState.FAILED), 180)
    equal((last().state, last().faces_done), (MissionState.DONE, 1), last().reason)
    book = peer.call(FindBook, "/inv_1/find_book", FindBook.Request(uid=uid))
    equal((book.seen, book.pass_over), (True, True), "after the pass")
    contains(book.address, "1F/R01A/B0", "address after the pass")
    note(f"after the pass it is at {book.address}, {100 * book.along_std_m:.1f} cm sure")


def main(peer):
    folder = Path(tempfile.mkdtemp())
    (folder / "aisle.toml").write_text(aisle(seed=5))
    scans = peer.hear(LaserScan, "/inv_1/scan", BEST_EFFORT)
    odom = peer.hear(Odometry, "/inv_1/odom", BEST_EFFORT)
    states = peer.hear(MissionState, "/inv_1/missions", LATCHED)
    peer.hear(TagRead, "/inv_1/reads", BEST_EFFORT)
    peer.hear(Sightings, "/inv_1/live_sightings", RELIABLE)
    # Twin and robot by one command, as the launch files start them.
    up = ["up", "--ros", "--sim", "--run", str(folder / "run"), "--scenario", str(folder / "aisle.toml"), "--without", "auditor"]
    with Process(*up) as process:
        peer.until("scans", lambda: scans)
        things(peer, scans)
        mission(peer, states, odom)
        process.ends_cleanly()


if __name__ == "__main__":
    run(main)
