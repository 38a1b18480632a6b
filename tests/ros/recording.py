"""A mission is recorded from the network: all topics, those of types that our program was not built with too."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from peer import BEST_EFFORT, BINARY, LATCHED, RELIABLE, Process, aisle, contains, equal, note, run

from shelfwright_msgs.msg import MissionState, Sightings
from shelfwright_msgs.srv import StartMission
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint
from visualization_msgs.msg import Marker

# By libraries that no one here wrote: what the bag holds of the two foreign topics.
READ = """
import sys
from pathlib import Path
from rosbags.highlevel import AnyReader
with AnyReader([Path(sys.argv[1])]) as bag:
    markers = [bag.deserialize(raw, c.msgtype) for c, _, raw in bag.messages() if c.topic == "/shelf_markers"]
    arms = [bag.deserialize(raw, c.msgtype) for c, _, raw in bag.messages() if c.topic == "/arm/trajectory"]
    stamps = [stamp for _, stamp, _ in bag.messages()]
print(len(markers), [m.id for m in markers] == list(range(markers[0].id, markers[0].id + len(markers))),
      markers[-1].text, len(markers[0].points), arms[0].points[0].positions[0], max(stamps) < 3_600_000_000_000)
"""


def ours(*args):
    environment = dict(os.environ, LD_PRELOAD=os.environ.get("SHELFWRIGHT_ROS_PRELOAD", ""))
    done = subprocess.run([BINARY, "--quiet", *args], env=environment, capture_output=True, text=True, check=False, timeout=120)
    equal(done.returncode, 0, f"{args}: {done.stderr}")
    return done.stdout


def main(peer):
    folder = Path(tempfile.mkdtemp())
    (folder / "aisle.toml").write_text(aisle(seed=5))
    out = folder / "run"
    states = peer.hear(MissionState, "/inv_1/missions", LATCHED)
    sightings = peer.hear(Sightings, "/inv_1/sightings", RELIABLE)
    markers = peer.node.create_publisher(Marker, "/shelf_markers", RELIABLE)
    arm = peer.node.create_publisher(JointTrajectory, "/arm/trajectory", BEST_EFFORT)
    up = ["up", "--ros", "--sim", "--record", "--run", str(out), "--scenario", str(folder / "aisle.toml"), "--speed", "5"]
    with Process(*up) as robot:
        peer.until("the recorder", lambda: "recorder" in peer.health, 120)
        heard = lambda: markers.get_subscription_count() and arm.get_subscription_count()
        peer.until("a recorder that listens to foreign topics", heard)
        request = StartMission.Request(mission="recorded", faces=["1F/R01A"])
        equal(peer.call(StartMission, "/inv_1/mission/start", request).success, True, "start")
        trajectory = JointTrajectory(points=[JointTrajectoryPoint(positions=[19.5])])

        def say(number):
            arm.publish(trajectory)
            marker = Marker(id=number, text=f"标记 {number}")
            marker.points.append(marker.pose.position)
            markers.publish(marker)

        for number in range(200):
            say(number)
            peer.spin(0.01)
        over = (MissionState.DONE, MissionState.FAILED)
        peer.until("the mission's end", lambda: states and states[-1].state in over, 180)
        equal(states[-1].state, MissionState.DONE, states[-1].reason)
        peer.until("sightings", lambda: sightings)
        peer.until("a report of all that is recorded", lambda: int(peer.value("recorder", "messages_written")) > 1000)
        equal(peer.value("recorder", "topics_not_recorded"), "0", "topics that cannot be recorded")
        note(f"recorder: {peer.health['recorder'].message}, {peer.value('recorder', 'topics')} topics")
        peer.spin(1.0)
        robot.ends_cleanly()
    bag = out / "bag"
    ours("bag", "check", str(bag))
    topics = {t["topic"]: t for t in json.loads(ours("bag", "info", str(bag), "--json"))["topics"]}
    for topic, count in [("/shelf_markers", 190), ("/arm/trajectory", 1), ("/inv_1/reads", 100), ("/inv_1/scan", 100),
                         ("/inv_1/sightings", 1), ("/tf_static", 1), ("/inv_1/robot_description", 1)]:
        if topic not in topics or topics[topic]["messages"] < count:
            raise AssertionError(f"{topic}: {topics.get(topic)}")
    located = json.loads(ours("locate", str(bag), "--json"))
    equal(located["sightings"], sum(len(m.sightings) for m in sightings), "sightings from the bag, and those that we heard")
    python = os.environ.get("SHELFWRIGHT_PYTHON")
    if python:
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD")}
        done = subprocess.run([python, "-c", READ, str(bag)], env=clean, capture_output=True, text=True, check=False)
        equal(done.returncode, 0, done.stderr)
        contains(done.stdout, "True 标记 199 1 19.5 True", "rosbags reads")
        note(f"rosbags reads {done.stdout.strip()}")


if __name__ == "__main__":
    run(main)
