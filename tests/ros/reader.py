"""rclpy plays a reader: 2,000 reads a second reach the locator, none is lost, bad ones and silence are told.

    tests/ros/reader.py [SECONDS]     # 5 by default; 60 for the whole minute
"""

import math
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from peer import BEST_EFFORT, LATCHED, RELIABLE, Process, contains, equal, note, ns, run

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TransformStamped
from shelfwright_msgs.msg import MissionState, Sightings, TagRead
from tf2_msgs.msg import TFMessage

RATE = 2_000
SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
SITE = """name = "one face"
[[floor]]
id = "1F"
[[floor.face]]
id = "R01A"
origin_m = [0, 1]
heading_deg = 0
bays = 5
bay_width_m = 0.9
depth_m = 0.25
tier = [{ board_m = 0.1, clear_m = 0.3 }]
"""


def read(peer, uid, **other):
    message = TagRead(reader="inv_1/reader", protocol=TagRead.UHF_GEN2, antenna=1, uid=uid, rssi_dbm=-50.0,
                      phase_rad=1.0, frequency_hz=922.375e6)
    message.header.frame_id = "inv_1/antenna_1"
    message.header.stamp = peer.node.get_clock().now().to_msg()
    for name, value in other.items():
        setattr(message, name, value)
    return message


def flood(peer, publisher, seconds):
    """Reads for some seconds, every ten milliseconds a handful."""
    began = time.monotonic()
    sent = 0
    while sent < RATE * seconds:
        due = min(int((time.monotonic() - began) * RATE), RATE * seconds)
        while sent < due:
            publisher.publish(read(peer, [0xE2, 0, sent % 200 // 100, sent % 100]))
            sent += 1
        peer.executor.spin_once(timeout_sec=0.005)
    return sent


def count(peer, what):
    return int(peer.value("inv_1/locator messages", f"/inv_1/reads {what}"))


def best_effort(peer, site):
    """Of a best-effort reader's reads some may not come: what came, and so what was lost, is known to the message."""
    reads = peer.node.create_publisher(TagRead, "/inv_1/reads", BEST_EFFORT)
    args = ["node", "locator", "--site", site, "--start", "0,0,0", "--ros-args", "-p", "reads_best_effort:=true"]
    peer.health.clear()
    with Process(*args) as locator:
        peer.until("the locator", lambda: reads.get_subscription_count() and "inv_1/locator" in peer.health)
        peer.spin(1.0)
        sent = flood(peer, reads, 1)
        # Two seconds without a processor: more comes than the network keeps.
        os.kill(locator.process.pid, signal.SIGSTOP)
        sent += flood(peer, reads, 2)
        os.kill(locator.process.pid, signal.SIGCONT)
        sent += flood(peer, reads, 1)
        value = lambda key: int(peer.value("inv_1/locator", key))
        handled = lambda: sum(value(f"reads_{key}") for key in ("located", "outside_a_pass", "without_transform"))
        known = lambda: count(peer, "received") == handled() + count(peer, "dropped")
        peer.spin(1.5)
        peer.until("every read that came to be handled, or counted as dropped", known)
        received, dropped = count(peer, "received"), count(peer, "dropped")
        equal(0 < received < sent, True, f"{received} of {sent} received")
        note(f"best effort, stopped for 2 s: {sent - received} of {sent} lost on the way, {dropped} dropped here")
        equal(locator.interrupt()[0], 0, "exit code")
    peer.node.destroy_publisher(reads)


def main(peer):
    site = Path(tempfile.mkdtemp()) / "site.toml"
    site.write_text(SITE)
    sightings = peer.hear(Sightings, "/inv_1/sightings")
    reads = peer.node.create_publisher(TagRead, "/inv_1/reads", RELIABLE)
    missions = peer.node.create_publisher(MissionState, "/inv_1/missions", LATCHED)
    mounts = peer.node.create_publisher(TFMessage, "/tf_static", LATCHED)
    mount = TransformStamped(child_frame_id="inv_1/antenna_1")
    mount.header.frame_id = "map"
    mount.transform.translation.x, mount.transform.translation.z = 2.0, 0.3
    mount.transform.rotation.w = 1.0
    mounts.publish(TFMessage(transforms=[mount]))
    state = MissionState(robot="inv_1", mission="m", state=MissionState.SCANNING, face="1F/R01A", pass_number=1)
    missions.publish(state)
    value = lambda key: int(peer.value("inv_1/locator", key))
    with Process("node", "locator", "--site", str(site), "--start", "0,0,0") as locator:
        peer.until("the locator", lambda: reads.get_subscription_count() and "inv_1/locator" in peer.health)
        peer.spin(1.0)
        sent = flood(peer, reads, SECONDS)
        peer.until("all reads", lambda: value("reads_located") == sent)
        equal(peer.value("inv_1/locator messages", "/inv_1/reads received"), str(sent), "reads received")
        equal(peer.value("inv_1/locator messages", "/inv_1/reads dropped"), "0", "reads dropped")
        age = peer.value("inv_1/locator messages", "reads_age_p99_ms")
        note(f"{sent} reads at {RATE} a second: none lost, handled {age} ms after they were sent at the 99th percentile")
        # What no reader should send.
        moon = read(peer, [1, 2])
        moon.header.frame_id = "moon"
        reads.publish(moon)
        reads.publish(read(peer, []))
        reads.publish(read(peer, [1, 2], frequency_hz=math.nan))
        reads.publish(read(peer, [1, 2], antenna=0))
        peer.until("the empty uid", lambda: value("reads_bad_uid") == 1)
        peer.until("the bad values", lambda: value("reads_bad_value") == 2)
        peer.until("the unknown frame", lambda: value("reads_without_transform") == 1)
        # Nothing more comes in the middle of a pass.
        final = read(peer, [0xE2, 0, 0, 1])
        reads.publish(final)
        peer.until("ERROR for a silent reader", lambda: peer.health["inv_1/locator"].level == DiagnosticStatus.ERROR)
        silent_s = (peer.health_ns["inv_1/locator"] - ns(final.header.stamp)) * 1e-9
        equal(silent_s < 2.0, True, f"ERROR after {silent_s:.2f} s of silence")
        contains(peer.health["inv_1/locator"].message, "silent", "summary")
        def speaks():
            reads.publish(read(peer, [0xE2, 0, 0, 1]))
            return peer.health["inv_1/locator"].level == DiagnosticStatus.WARN

        peer.until("WARN for bad reads, once it speaks again", speaks)
        # The pass is over: its tags have places.
        state.state = MissionState.DONE
        missions.publish(state)
        peer.until("sightings", lambda: sightings)
        equal(sightings[0].scan, "inv_1/1F/R01A/1", "scan")
        equal(locator.interrupt()[0], 0, "exit code")
    peer.node.destroy_publisher(reads)
    peer.node.destroy_publisher(missions)
    best_effort(peer, str(site))


if __name__ == "__main__":
    run(main)
