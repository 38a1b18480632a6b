"""The figures of nodes/README.md in one run: the ROS 2 host's locator, an rclpy node that only counts, and the local host.

    SHELFWRIGHT_ROS_BIN=… $SHELFWRIGHT_ROS_PYTHON tests/ros/figures.py [SECONDS]
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peer import LATCHED, RELIABLE, Process, run
from reader import SITE, read

from geometry_msgs.msg import TransformStamped
from shelfwright_msgs.msg import MissionState, TagRead
from tf2_msgs.msg import TFMessage

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20
COUNTER = """
import sys, time, rclpy
from rclpy.qos import QoSProfile
from shelfwright_msgs.msg import TagRead
rclpy.init()
node = rclpy.create_node("counter")
ages = []
def hear(m):
    ages.append(time.time() - m.header.stamp.sec - m.header.stamp.nanosec * 1e-9)
node.create_subscription(TagRead, "/inv_1/reads", hear, QoSProfile(depth=2000))
end = time.time() + float(sys.argv[1])
while time.time() < end:
    rclpy.spin_once(node, timeout_sec=0.1)
ages.sort()
print(len(ages), 1e3 * ages[len(ages) // 2], 1e3 * ages[int(0.99 * len(ages))])
"""


def cpu_s(pid):
    """Processor time of a process, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(peer, publisher, rate, seconds):
    """Reads at a rate, or as fast as rclpy can; gives how many."""
    began, sent = time.monotonic(), 0
    while time.monotonic() < began + seconds:
        due = int((time.monotonic() - began) * rate) if rate else sent + 50
        while sent < due:
            publisher.publish(read(peer, [0xE2, 0, 0, sent % 200]))
            sent += 1
        if rate:
            time.sleep(0.002)
    return sent


def main(peer):
    site = Path(tempfile.mkdtemp()) / "site.toml"
    site.write_text(SITE)
    reads = peer.node.create_publisher(TagRead, "/inv_1/reads", RELIABLE)
    missions = peer.node.create_publisher(MissionState, "/inv_1/missions", LATCHED)
    mounts = peer.node.create_publisher(TFMessage, "/tf_static", LATCHED)
    mount = TransformStamped(child_frame_id="inv_1/antenna_1")
    mount.header.frame_id, mount.transform.translation.x, mount.transform.rotation.w = "map", 2.0, 1.0
    mounts.publish(TFMessage(transforms=[mount]))
    missions.publish(MissionState(robot="inv_1", state=MissionState.SCANNING, face="1F/R01A", pass_number=1))
    print("| listener | reads a second | lost | age p50, ms | age p99, ms | CPU, µs a read |")
    print("|---|---|---|---|---|---|")
    for rate in (2_000, 0):
        with Process("node", "locator", "--site", str(site), "--start", "0,0,0") as locator:
            peer.health.clear()
            peer.until("the locator", lambda: reads.get_subscription_count() and "inv_1/locator" in peer.health)
            peer.spin(2.0)
            before = cpu_s(locator.process.pid)
            sent = send(peer, reads, rate, SECONDS)
            used = cpu_s(locator.process.pid) - before
            peer.spin(3.0)
            value = lambda key: float(peer.value("inv_1/locator messages", key))
            print(f"| our locator | {sent / SECONDS:.0f} | {sent - value('/inv_1/reads received'):.0f} | "
                  f"{value('reads_age_p50_ms'):.2f} | {value('reads_age_p99_ms'):.2f} | {1e6 * used / sent:.0f} |")
        counter = subprocess.Popen([sys.executable, "-c", COUNTER, str(SECONDS + 8)], stdout=subprocess.PIPE, text=True)
        peer.until("the counter", lambda: reads.get_subscription_count())
        peer.spin(2.0)
        before = cpu_s(counter.pid)
        sent = send(peer, reads, rate, SECONDS)
        used = cpu_s(counter.pid) - before
        heard, p50, p99 = counter.communicate()[0].split()
        print(f"| rclpy, counts | {sent / SECONDS:.0f} | {sent - int(heard)} | {float(p50):.2f} | {float(p99):.2f} | "
              f"{1e6 * used / sent:.0f} |", flush=True)
    # The same work without a network; built by cargo where it is not yet.
    local = ["cargo", "run", "--quiet", "--release", "--package", "nodes", "--example", "host_figures"]
    subprocess.run(local, check=True, cwd=Path(__file__).resolve().parents[2])


if __name__ == "__main__":
    run(main)
