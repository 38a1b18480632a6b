"""What the ROS 2 tests share: our processes, and an rclpy node that knows nothing of them."""

import os
import random
import signal
import subprocess
import sys
import time

# Before rclpy reads it: tests beside each other must not hear each other. Each script has domains of its own, of
# which it takes any, as another run may go on beside this one.
SCRIPTS = ["robot.py", "reader.py", "mission.py", "nav2.py", "fleet.py", "control.py", "restart.py", "figures.py", "policy.py",
           "recording.py"]
DOMAIN = 1 + SCRIPTS.index(os.path.basename(sys.argv[0])) + len(SCRIPTS) * random.randrange(10)
os.environ.setdefault("ROS_DOMAIN_ID", str(DOMAIN))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")

import rclpy  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402

BINARY = os.environ["SHELFWRIGHT_ROS_BIN"]
LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BEST_EFFORT = QoSProfile(depth=2000, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=2000)
# A loaded machine is slow; a test that fails says what it waited for.
PATIENCE_S = 60.0


class Process:
    """One of our programs. Ends it by SIGINT and looks how it ends."""

    def __init__(self, *args, env=None):
        environment = dict(os.environ, **(env or {}))
        preload = os.environ.get("SHELFWRIGHT_ROS_PRELOAD")
        if preload:
            environment["LD_PRELOAD"] = preload
        self.args = args
        self.process = subprocess.Popen([BINARY, *args], env=environment)

    def __enter__(self):
        return self

    def running(self):
        return self.process.poll() is None

    def interrupt(self):
        """Exit code and seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"{self.args} did not end within 30 s of SIGINT") from None
        return code, time.monotonic() - began

    def ends_cleanly(self, within_s=2.0):
        """SIGINT ends it in time, and without an error."""
        code, seconds = self.interrupt()
        note(f"SIGINT: {self.args[0]} ended with {code} after {seconds:.2f} s")
        equal(code, 0, "exit code")
        if seconds > within_s:
            raise AssertionError(f"it took {seconds:.1f} s to end")

    def __exit__(self, kind, value, trace):
        if self.running():
            self.process.kill()
        self.process.wait()


class Peer:
    """An rclpy node with what the tests ask of one."""

    def __init__(self, name="peer"):
        rclpy.init()
        self.node = rclpy.create_node(name)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.heard = {}
        self.health = {}
        self.health_ns = {}
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostics, RELIABLE)

    def _diagnostics(self, array):
        for status in array.status:
            self.health[status.name] = status
            self.health_ns[status.name] = ns(array.header.stamp)

    def hear(self, kind, topic, quality=RELIABLE):
        """Keeps all messages of a topic."""
        messages = self.heard.setdefault(topic, [])
        self.node.create_subscription(kind, topic, messages.append, quality)
        return messages

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)

    def until(self, what, condition, patience=PATIENCE_S):
        """Spins until the condition gives something; says what was waited for when it does not."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            self.executor.spin_once(timeout_sec=0.05)
        raise AssertionError(f"{what} did not come in {patience} s")

    def insist(self, what, say, condition):
        """Says something until it has had its effect: it reaches only those listeners that have found its publisher."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            say()
            self.spin(0.2)
            if condition():
                return
        raise AssertionError(f"{what} did not come in {PATIENCE_S} s")

    def call(self, kind, name, request, again=False):
        """Calls a service; `again` and again where the server may be the endpoint of a process that has been killed."""
        client = self.node.create_client(kind, name)
        self.until(f"service {name}", client.service_is_ready)
        future = client.call_async(request)
        end = time.monotonic() + PATIENCE_S
        while again and not future.done() and time.monotonic() < end:
            self.spin(2.0)
            future = future if future.done() else client.call_async(request)
        self.until(f"answer of {name}", future.done)
        self.node.destroy_client(client)
        return future.result()

    def action(self, kind, name):
        client = ActionClient(self.node, kind, name)
        self.until(f"action {name}", client.server_is_ready)
        return client

    def send(self, client, goal, feedback=None):
        future = client.send_goal_async(goal, feedback_callback=feedback)
        self.until("answer to the goal", future.done)
        return future.result()

    def value(self, status, key):
        """A value of a node's diagnostics."""
        for pair in self.health[status].values:
            if pair.key == key:
                return pair.value
        raise AssertionError(f"{status} has no {key}: {[p.key for p in self.health[status].values]}")

    def close(self):
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()


def aisle(seed, robots=1):
    """A scenario of one aisle, all books in order, with a robot on each side of it that is asked for."""
    robot = """[[robot]]
name = "inv_{number}"
start_m = [0.6, {y}]
antennas_m = [[0.0, 0.25, 0.22], [0.0, 0.25, 0.55]]
"""
    return f"""name = "one aisle"
seed = {seed}
[library]
rows = 1
bays = 2
tiers = 2
on_loan = 0
[errors]
missing = 0
misplaced = 0
out_of_order = 0
foreign = 0
on_loan_on_shelf = 0
""" + "".join(robot.format(number=i + 1, y=y) for i, y in enumerate([0.75, 2.75][:robots]))


def ns(stamp):
    return stamp.sec * 1_000_000_000 + stamp.nanosec


def equal(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


def contains(text, part, what):
    if part not in text:
        raise AssertionError(f"{what}: {part!r} is not in {text!r}")


def note(text):
    print(text, file=sys.stderr, flush=True)


def run(test):
    """Runs a test with a peer; without a clean end, rclpy crashes as Python ends and hides the reason."""
    peer = Peer()
    try:
        test(peer)
    except AssertionError as error:
        note(f"FAILED: {error}")
        for name, status in sorted(peer.health.items()):
            note(f"  {name}: level {status.level[0]}, {status.message}")
        raise
    finally:
        peer.close()
