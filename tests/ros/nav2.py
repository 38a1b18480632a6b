"""rclpy stands in for Nav2: the pilot drives through navigate_to_pose and follow_face of whoever serves them."""

import tempfile
import threading
import time
from pathlib import Path

from peer import LATCHED, RELIABLE, Process, contains, equal, note, run

from action_msgs.msg import GoalStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav2_msgs.action import NavigateToPose
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import MultiThreadedExecutor
import rclpy
from shelfwright_msgs.action import FollowFace, RunMission
from shelfwright_msgs.msg import Coverage, MissionState

SITE = """name = "two faces"
[[floor]]
id = "1F"
wall = [
    { from_m = [-2, -2], to_m = [8, -2] }, { from_m = [8, -2], to_m = [8, 4] },
    { from_m = [8, 4], to_m = [-2, 4] }, { from_m = [-2, 4], to_m = [-2, -2] },
]
[[floor.face]]
id = "R01A"
origin_m = [0, 1]
heading_deg = 0
bays = 2
bay_width_m = 0.9
depth_m = 0.25
tier = [{ board_m = 0.1, clear_m = 0.3 }]
[[floor.face]]
id = "R01B"
origin_m = [1.8, 1.5]
heading_deg = 180
bays = 2
bay_width_m = 0.9
depth_m = 0.25
tier = [{ board_m = 0.1, clear_m = 0.3 }]
"""


class Nav2:
    """Serves both actions on a thread of its own; goals end as told."""

    def __init__(self):
        self.node = rclpy.create_node("nav2")
        group = ReentrantCallbackGroup()
        self.goals, self.refuse_after = [], 99
        self.servers = [
            ActionServer(self.node, NavigateToPose, "/inv_1/navigate_to_pose", self.navigate, callback_group=group,
                         cancel_callback=lambda _: CancelResponse.ACCEPT),
            ActionServer(self.node, FollowFace, "/inv_1/follow_face", self.follow, callback_group=group,
                         cancel_callback=lambda _: CancelResponse.ACCEPT),
        ]
        self.executor = MultiThreadedExecutor(3)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self.executor.spin)
        self.thread.start()

    def navigate(self, handle):
        self.goals.append(("navigate", handle.request))
        if len(self.goals) > self.refuse_after:
            handle.abort()
            return NavigateToPose.Result(error_code=204, error_msg="a wall that was not there")
        handle.succeed()
        return NavigateToPose.Result()

    def follow(self, handle):
        self.goals.append(("follow", handle.request))
        for step in range(40):
            if handle.is_cancel_requested:
                handle.canceled()
                return FollowFace.Result(error_msg="cancelled")
            feedback = FollowFace.Feedback(along_m=0.1 * step, blocked_s=3.0 if step == 2 else 0.0)
            handle.publish_feedback(feedback)
            time.sleep(0.1 if handle.request.face == "1F/R01B" else 0.01)
        handle.succeed()
        return FollowFace.Result()

    def close(self):
        self.executor.shutdown()
        self.thread.join()
        for server in self.servers:
            server.destroy()
        self.node.destroy_node()


def drive(peer, nav2):
    states = peer.hear(MissionState, "/inv_1/missions", LATCHED)
    coverage = peer.node.create_publisher(Coverage, "/inv_1/coverage", RELIABLE)
    pose = peer.node.create_publisher(PoseWithCovarianceStamped, "/inv_1/pose", RELIABLE)
    here = PoseWithCovarianceStamped()
    here.header.frame_id, here.pose.pose.orientation.w = "map", 1.0
    client = peer.action(RunMission, "/inv_1/run_mission")

    def mission(face):
        """Until the pass over a face is driven."""
        handle = peer.send(client, RunMission.Goal(mission="m", faces=[face]))
        equal(handle.accepted, True, face)
        pose.publish(here)
        return handle.get_result_async(), handle

    in_state = lambda wanted: lambda: states and states[-1].state == wanted
    result, _ = mission("1F/R01A")
    peer.until("the pass", in_state(MissionState.WAITING))
    kinds = [kind for kind, _ in nav2.goals]
    equal(kinds, ["navigate", "follow"], "goals")
    goal = nav2.goals[0][1].pose
    equal(goal.header.frame_id, "map", "frame")
    # 0.65 m before the shelf at y = 1, 0.6 m before the face's start.
    equal((round(goal.pose.position.x, 3), round(goal.pose.position.y, 3)), (-0.6, 0.35), "start of the pass")
    equal(nav2.goals[1][1].face, "1F/R01A", "face")
    coverage.publish(Coverage(robot="inv_1", scan="inv_1/1F/R01A/1", face="1F/R01A", tier=1, bin_m=0.1,
                              read_probability=[1.0] * 18))
    peer.until("the result", result.done)
    equal(result.result().status, GoalStatus.STATUS_SUCCEEDED, "status")
    equal(result.result().result.faces_done, 1, "faces")
    note("a mission over rclpy's navigate_to_pose and follow_face: done")

    # Taken back in the middle of a pass: the pilot cancels the goal that it sent.
    result, handle = mission("1F/R01B")
    peer.until("the slow pass", in_state(MissionState.SCANNING))
    peer.spin(0.5)
    cancel = handle.cancel_goal_async()
    peer.until("the cancel's answer", cancel.done)
    peer.until("the result", result.done)
    equal(result.result().status, GoalStatus.STATUS_CANCELED, "status")
    peer.spin(0.5)

    # Nav2 gives up: the mission fails with Nav2's words.
    nav2.refuse_after = len(nav2.goals)
    result, _ = mission("1F/R01A")
    peer.until("the failure", result.done)
    equal(result.result().status, GoalStatus.STATUS_ABORTED, "status")
    contains(result.result().result.reason, "a wall that was not there", "reason")
    note("cancelled and given up: told with Nav2's words")


def main(peer):
    site = Path(tempfile.mkdtemp()) / "site.toml"
    site.write_text(SITE)
    nav2 = Nav2()
    try:
        with Process("node", "pilot", "--site", str(site), "--start", "0,0,0") as pilot:
            drive(peer, nav2)
            equal(pilot.interrupt()[0], 0, "exit code")
    finally:
        nav2.close()


if __name__ == "__main__":
    run(main)
