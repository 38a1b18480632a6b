"""A robot and its twin on a ROS 2 network: topics, parameters, life, diagnostics, actions, transforms, SIGINT."""

import math
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

from peer import BEST_EFFORT, LATCHED, RELIABLE, Process, contains, equal, note, ns, run

import policy
from launching import LAUNCH, commands

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped, TwistStamped
from lifecycle_msgs.msg import State, Transition, TransitionEvent
from lifecycle_msgs.srv import ChangeState, GetAvailableStates, GetAvailableTransitions, GetState
from nav2_msgs.action import NavigateToPose
from nav_msgs.msg import OccupancyGrid, Odometry
from rcl_interfaces.msg import Log, Parameter, ParameterEvent, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import BatteryState, Imu, LaserScan
from shelfwright_msgs.action import RunMission
from shelfwright_msgs.msg import Coverage, MissionState, ShelfErrors, Sightings, TagRead
from shelfwright_msgs.srv import StepTwin
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage

NODES = ["localizer", "navigator", "pilot", "locator", "auditor", "map_server"]
ALL_NODES = [(name, "/inv_1") for name in NODES] + [("twin", "/")]
# As DESIGN.md names them.
TOPICS = {
    "/clock": Clock,
    "/map": OccupancyGrid,
    "/tf": TFMessage,
    "/tf_static": TFMessage,
    "/inv_1/reads": TagRead,
    "/inv_1/scan": LaserScan,
    "/inv_1/odom": Odometry,
    "/inv_1/imu": Imu,
    "/inv_1/battery": BatteryState,
    "/inv_1/bumper": Bool,
    "/inv_1/pose": PoseWithCovarianceStamped,
    "/inv_1/cmd_vel": TwistStamped,
    "/inv_1/missions": MissionState,
    "/inv_1/robot_description": String,
    "/inv_1/sightings": Sightings,
    "/inv_1/coverage": Coverage,
    "/shelf_errors": ShelfErrors,
}
LATCHED_TOPICS = ("/map", "/tf_static", "/inv_1/missions", "/shelf_errors", "/inv_1/robot_description")
# What a robot that stands in its dock says.
AT_REST = ["/clock", "/map", "/tf", "/tf_static", "/inv_1/scan", "/inv_1/odom", "/inv_1/imu", "/inv_1/battery",
           "/inv_1/bumper", "/inv_1/pose", "/inv_1/missions"]


def topics(peer):
    for topic, kind in TOPICS.items():
        quality = LATCHED if topic in LATCHED_TOPICS else BEST_EFFORT
        peer.hear(kind, topic, quality)
    names = lambda: dict(peer.node.get_topic_names_and_types())
    peer.until("all topics", lambda: all(t in names() for t in TOPICS))
    for topic, kind in TOPICS.items():
        module = kind.__module__.split(".")[0]
        equal(names()[topic], [f"{module}/msg/{kind.__name__}"], topic)
    for topic in AT_REST:
        peer.until(f"a message on {topic}", lambda: peer.heard[topic])
    grid = peer.heard["/map"][0]
    equal(len(grid.data), grid.info.width * grid.info.height, "cells of the map")
    equal(set(grid.data), {0, 100}, "values of cells")
    nodes = lambda: set(peer.node.get_node_names_and_namespaces())
    peer.until("all nodes", lambda: set(ALL_NODES) <= nodes())
    note("topics and nodes: as DESIGN.md has them")


def transforms(peer):
    """The chain that tf2 would walk: map, odom, base_link, antenna_1."""
    edges = lambda: {(t.header.frame_id, t.child_frame_id)
                     for topic in ("/tf", "/tf_static") for m in peer.heard[topic] for t in m.transforms}
    wanted = {("map", "inv_1/odom"), ("inv_1/odom", "inv_1/base_link"), ("inv_1/base_link", "inv_1/antenna_1"),
              ("inv_1/base_link", "inv_1/laser")}
    peer.until("the transforms", lambda: wanted <= edges())
    pose = peer.heard["/inv_1/pose"][-1].pose.pose.position
    if math.hypot(pose.x - 0.6, pose.y - 0.75) > 0.2:
        raise AssertionError(f"the robot stands in its dock at 0.6, 0.75, and is told to be at {pose.x}, {pose.y}")
    # The chain looked up as tf2 does it: the antenna stands 0.25 m to the robot's left, at its height.
    newest = {}
    for topic in ("/tf_static", "/tf"):
        newest.update({(t.header.frame_id, t.child_frame_id): t for m in peer.heard[topic] for t in m.transforms})
    x, y, z, yaw = 0.0, 0.0, 0.0, 0.0
    for edge in [("map", "inv_1/odom"), ("inv_1/odom", "inv_1/base_link"), ("inv_1/base_link", "inv_1/antenna_1")]:
        t, q = newest[edge].transform.translation, newest[edge].transform.rotation
        x, y, z = (x + math.cos(yaw) * t.x - math.sin(yaw) * t.y, y + math.sin(yaw) * t.x + math.cos(yaw) * t.y, z + t.z)
        yaw += 2.0 * math.atan2(q.z, q.w)
    if math.hypot(x - 0.6, y - 1.0) > 0.2 or abs(z - 0.22) > 1e-6 or abs(yaw - math.pi / 2) > 0.1:
        raise AssertionError(f"antenna_1 is looked up at {x}, {y}, {z}, looking to {yaw}")
    note("transforms: map to antennas")


def description(peer):
    """The robot's description says of laser and antennas what /tf_static says."""
    text = peer.until("a description", lambda: peer.heard["/inv_1/robot_description"])[0].data
    joints = {j.find("child").get("link"): j for j in xml.fromstring(text).iter("joint")}
    for transform in (t for m in peer.heard["/tf_static"] for t in m.transforms):
        joint = joints[transform.child_frame_id]
        equal(joint.find("parent").get("link"), transform.header.frame_id, "parent")
        xyz, rpy = ([float(v) for v in joint.find("origin").get(a).split()] for a in ("xyz", "rpy"))
        t, q = transform.transform.translation, transform.transform.rotation
        off = [abs(a - b) for a, b in zip(xyz + rpy, [t.x, t.y, t.z, 0.0, 0.0, 2.0 * math.atan2(q.z, q.w)])]
        if max(off) > 1e-9:
            raise AssertionError(f"{transform.child_frame_id}: {xyz} {rpy} in the description, {t} {q} in tf")
    note(f"robot_description: {len(joints)} joints, in agreement with /tf_static")


def number(value):
    return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)


def parameters(peer):
    events = peer.hear(ParameterEvent, "/parameter_events")
    for node in NODES:
        names = peer.call(ListParameters, f"/inv_1/{node}/list_parameters", ListParameters.Request()).result.names
        contains(names, "use_sim_time", node)
        request = DescribeParameters.Request(names=names)
        for d in peer.call(DescribeParameters, f"/inv_1/{node}/describe_parameters", request).descriptors:
            if not d.description or d.type == 0:
                raise AssertionError(f"{node}: {d.name} has no description or type")
            if d.type == ParameterType.PARAMETER_DOUBLE and len(d.floating_point_range) != 1:
                raise AssertionError(f"{node}: {d.name} has no range")

    def set_one(node, name, value):
        request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
        return peer.call(SetParameters, f"/inv_1/{node}/set_parameters", request).results[0]

    equal(set_one("navigator", "steering.speed_mps", number(0.4)).successful, True, "speed")
    get = GetParameters.Request(names=["steering.speed_mps", "stop_gap_m"])
    values = peer.call(GetParameters, "/inv_1/navigator/get_parameters", get).values
    equal([v.double_value for v in values], [0.4, 0.16], "what was set, and what the parameter file says")
    peer.until("a parameter event", lambda: [e for e in events if e.node == "/inv_1/navigator"])
    for node, name, value, reason in [
        ("navigator", "steering.speed_mps", number(50.0), "allowed are 0 to 3"),
        ("navigator", "planner.margin_m", number(0.1), "configure"),
        ("navigator", "stop_gap_m", ParameterValue(type=ParameterType.PARAMETER_STRING, string_value="x"), "string"),
        ("locator", "cell", number(0.1), "no parameter"),
    ]:
        result = set_one(node, name, value)
        equal(result.successful, False, name)
        contains(result.reason, reason, name)
    note("parameters: described, set, refused with reasons")


def life(peer):
    events = peer.hear(TransitionEvent, "/inv_1/locator/transition_event")
    peer.until("the event topic", lambda: peer.node.count_publishers("/inv_1/locator/transition_event"))

    def state(node):
        return peer.call(GetState, f"/inv_1/{node}/get_state", GetState.Request()).current_state.id

    def change(node, transition):
        request = ChangeState.Request(transition=Transition(id=transition))
        return peer.call(ChangeState, f"/inv_1/{node}/change_state", request).success

    for node in NODES:
        equal(state(node), State.PRIMARY_STATE_ACTIVE, node)
        states = peer.call(GetAvailableStates, f"/inv_1/{node}/get_available_states", GetAvailableStates.Request())
        equal([s.label for s in states.available_states], ["unconfigured", "inactive", "active", "finalized"], node)
    # A node that is active cannot be configured.
    equal(change("locator", Transition.TRANSITION_CONFIGURE), False, "configure while active")
    for transition, then in [
        (Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE),
        (Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED),
    ]:
        equal(change("locator", transition), True, transition)
        equal(state("locator"), then, transition)
    # What is read at configuration can be set now.
    request = SetParameters.Request(parameters=[Parameter(name="cell_m", value=number(0.01))])
    equal(peer.call(SetParameters, "/inv_1/locator/set_parameters", request).results[0].successful, True, "cell_m")
    request = GetAvailableTransitions.Request()
    ways = peer.call(GetAvailableTransitions, "/inv_1/locator/get_available_transitions", request)
    equal([t.transition.label for t in ways.available_transitions], ["configure", "shutdown"], "ways on")
    equal(change("locator", Transition.TRANSITION_CONFIGURE), True, "configure")
    equal(change("locator", Transition.TRANSITION_ACTIVATE), True, "activate")
    peer.until("four transition events", lambda: len(events) >= 4)
    equal([e.goal_state.label for e in events], ["inactive", "unconfigured", "inactive", "active"], "events")
    # Every other node the same way, and all are at work in the end.
    around = [Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP, Transition.TRANSITION_CONFIGURE,
              Transition.TRANSITION_ACTIVATE]
    for node in NODES:
        for transition in around if node != "locator" else []:
            equal(change(node, transition), True, f"{node}: {transition}")
        equal(state(node), State.PRIMARY_STATE_ACTIVE, node)
    note("life: every node walked through")


def diagnostics(peer):
    names = [f"inv_1/{n}" for n in NODES] + [f"inv_1/{n} messages" for n in NODES] + ["twin"]
    peer.until("diagnostics of all nodes", lambda: all(n in peer.health for n in names))
    peer.until("a localizer that tracks", lambda: peer.health["inv_1/localizer"].message == "tracking")
    equal(peer.health["inv_1/localizer"].level, DiagnosticStatus.OK, "localizer")
    equal(peer.health["inv_1/localizer"].hardware_id, "inv_1", "hardware")
    # A message with a pose of no numbers is counted, and hurts nothing.
    publisher = peer.node.create_publisher(LaserScan, "/inv_1/scan", RELIABLE)
    before = int(peer.value("inv_1/localizer", "scans_refused"))
    scan = LaserScan(angle_increment=math.nan, ranges=[math.nan] * 8)
    scan.header.frame_id = "inv_1/laser"
    peer.insist("the refused scan", lambda: publisher.publish(scan), lambda: int(peer.value("inv_1/localizer", "scans_refused")) > before)
    peer.node.destroy_publisher(publisher)
    peer.until("a localizer that tracks on", lambda: peer.health["inv_1/localizer"].message == "tracking")
    bad_messages(peer)
    note("diagnostics: once a second, bad messages counted by name")


def bad_messages(peer):
    """A pose of no numbers, an unknown frame, time that runs backwards, a tag without a name: counted, and without effect."""
    value = lambda node, key: int(peer.value(f"inv_1/{node}", key))
    now = lambda: peer.heard["/clock"][-1].clock

    def counted(topic, message, node, key, quality=RELIABLE):
        publisher = peer.node.create_publisher(type(message()), topic, quality)
        before = value(node, key)
        peer.insist(f"{node}'s {key}", lambda: publisher.publish(message()), lambda: value(node, key) > before)
        peer.node.destroy_publisher(publisher)

    pose = PoseWithCovarianceStamped()
    pose.header.frame_id = "map"
    pose.pose.pose.position.x = math.nan
    counted("/inv_1/pose", lambda: pose, "navigator", "malformed")
    counted("/inv_1/pose", lambda: pose, "locator", "poses_refused")
    scan = LaserScan(angle_increment=0.1, ranges=[1.0] * 8, range_max=12.0)
    scan.header.frame_id, scan.header.stamp = "moon", now()
    counted("/inv_1/scan", lambda: scan, "localizer", "scans_without_mount")
    counted("/inv_1/reads", lambda: TagRead(uid=[], antenna=1, frequency_hz=920e6), "locator", "reads_bad_uid")
    odom = Odometry(child_frame_id="inv_1/base_link")
    odom.header.frame_id, odom.pose.pose.orientation.w = "inv_1/odom", 1.0
    odom.header.stamp.sec = 0
    counted("/inv_1/odom", lambda: odom, "localizer", "motion_refused")

    # The clock half a second back: counted, and nobody's time goes back.
    def earlier():
        clock = Clock()
        clock.clock.sec, clock.clock.nanosec = divmod(ns(now()) - 500_000_000, 1_000_000_000)
        return clock

    counted("/clock", earlier, "navigator messages", "clock_went_back", BEST_EFFORT)
    peer.until("a localizer that tracks on", lambda: peer.health["inv_1/localizer"].message == "tracking")
    at = peer.heard["/inv_1/pose"][-1].pose.pose.position
    if not math.hypot(at.x - 0.6, at.y - 0.75) < 0.2:
        raise AssertionError(f"bad messages have moved the robot to {at}")


def twin_services(peer):
    clock = lambda: peer.heard["/clock"][-1].clock
    equal(peer.call(StepTwin, "/twin/step", StepTwin.Request(steps=1)).success, False, "a step while it runs")
    equal(peer.call(SetBool, "/twin/pause", SetBool.Request(data=True)).success, True, "pause")
    peer.spin(0.3)
    before = ns(clock())
    peer.spin(0.3)
    equal(ns(clock()), before, "the clock while paused")
    answer = peer.call(StepTwin, "/twin/step", StepTwin.Request(steps=5))
    equal((answer.success, ns(answer.now)), (True, before + 50_000_000), "five steps")
    peer.until("the stepped clock", lambda: ns(clock()) == before + 50_000_000)
    # Anew: the clock goes back to 0, and the robot's nodes begin anew with it.
    equal(peer.call(Trigger, "/twin/reset", Trigger.Request()).success, True, "reset")
    equal(peer.call(SetBool, "/twin/pause", SetBool.Request(data=False)).success, True, "go on")
    peer.until("a clock that begins anew", lambda: ns(clock()) < before)
    went_back = lambda: int(peer.value("inv_1/localizer messages", "clock_went_back")) > 0
    peer.until("nodes that have noticed", went_back)
    peer.until("a localizer that tracks anew", lambda: peer.health["inv_1/localizer"].message == "tracking")
    poses = peer.heard["/inv_1/pose"]
    peer.until("a pose of the new run", lambda: ns(poses[-1].header.stamp) <= ns(clock()) < before + 2_000_000_000)
    note("the twin's services: paused, stepped, begun anew")


def navigate(peer):
    client = peer.action(NavigateToPose, "/inv_1/navigate_to_pose")
    goal = NavigateToPose.Goal()
    goal.pose.header.frame_id = "map"
    goal.pose.pose.position.x, goal.pose.pose.position.y = 1.6, 0.75
    goal.pose.pose.orientation.w = 1.0
    feedback = []
    handle = peer.send(client, goal, feedback.append)
    equal(handle.accepted, True, "goal")
    result = handle.get_result_async()
    peer.until("the result", result.done, 120)
    equal(result.result().status, GoalStatus.STATUS_SUCCEEDED, "status")
    equal(result.result().result.error_code, NavigateToPose.Result.NONE, "code")
    if not feedback or feedback[0].feedback.distance_remaining > 2.0:
        raise AssertionError(f"{len(feedback)} feedbacks")
    # A goal taken back.
    goal.pose.pose.position.x = 5.0
    handle = peer.send(client, goal)
    peer.spin(1.0)
    cancel = handle.cancel_goal_async()
    peer.until("the cancel's answer", cancel.done)
    equal(len(cancel.result().goals_canceling), 1, "goals cancelled")
    result = handle.get_result_async()
    peer.until("the cancelled result", result.done)
    equal(result.result().status, GoalStatus.STATUS_CANCELED, "status")
    # One in no frame that it knows.
    goal.pose.header.frame_id = "moon"
    result = peer.send(client, goal).get_result_async()
    peer.until("the aborted result", result.done)
    equal(result.result().status, GoalStatus.STATUS_ABORTED, "status")
    contains(result.result().result.error_msg, "moon", "reason")
    note("navigate_to_pose: reached, cancelled, aborted")


def mission(peer):
    client = peer.action(RunMission, "/inv_1/run_mission")
    feedback = []
    handle = peer.send(client, RunMission.Goal(mission="first", faces=["1F/R01A"]), feedback.append)
    equal(handle.accepted, True, "mission")
    peer.until("a scan", lambda: [f for f in feedback if f.feedback.state.state == MissionState.SCANNING], 120)
    equal(peer.send(client, RunMission.Goal(mission="second")).accepted, False, "a second mission")
    peer.until("reads", lambda: peer.heard["/inv_1/reads"])
    cancel = handle.cancel_goal_async()
    peer.until("the cancel's answer", cancel.done)
    result = handle.get_result_async()
    peer.until("the cancelled mission's result", result.done)
    equal(result.result().status, GoalStatus.STATUS_CANCELED, "status")
    equal(result.result().result.state, MissionState.CANCELLED, "state")
    peer.until("the last state", lambda: peer.heard["/inv_1/missions"][-1].state == MissionState.CANCELLED)
    note("run_mission: begun, a second one refused, cancelled")


def policies(peer):
    policy.check(peer, ALL_NODES)
    note("the SROS 2 policy: as the graph")


def faster(folder):
    """Our parameters for simulation, twice as fast."""
    text = (LAUNCH / "params" / "sim.yaml").read_text()
    path = Path(folder) / "faster.yaml"
    # A node's own section wins over the one for all.
    text += "\nnavigator:\n  ros__parameters:\n    stop_gap_m: 0.16\n"
    path.write_text(text.replace("speed: 1.0", "speed: 2.0"))
    return str(path)


def main(peer):
    folder = tempfile.mkdtemp()
    logs = peer.hear(Log, "/rosout", LATCHED)
    # As `ros2 launch launch/sim.launch.py` starts them, both at once.
    sim, up = (line[1:] for line in commands("sim.launch.py", out=folder, params=faster(folder)))
    with Process(*sim) as twin, Process(*up) as robot:
        for part in [topics, transforms, description, parameters, life, diagnostics, twin_services, navigate, mission, policies]:
            part(peer)
        contains({log.name for log in logs}, "inv_1.locator", "loggers on /rosout")
        for process in (robot, twin):
            process.ends_cleanly()


if __name__ == "__main__":
    run(main)
