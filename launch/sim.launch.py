"""A robot and its twin: ros2 launch launch/sim.launch.py out:=/tmp/run, then send goals to /inv_1/run_mission."""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration

HERE = os.path.dirname(os.path.abspath(__file__))


def generate_launch_description():
    argument = LaunchConfiguration
    files = ["--params-file", os.path.join(HERE, "params", "robot.yaml"), "--params-file", argument("params")]
    return LaunchDescription([
        DeclareLaunchArgument("program", default_value="shelfwright", description="built with its ROS 2 host"),
        DeclareLaunchArgument("robot", default_value="inv_1", description="a robot of the scenario"),
        DeclareLaunchArgument("seed", default_value="1", description="another seed makes another library"),
        DeclareLaunchArgument("out", default_value="out/sim", description="folder for site and catalogue"),
        DeclareLaunchArgument("params", default_value=os.path.join(HERE, "params", "sim.yaml")),
        ExecuteProcess(
            cmd=[
                argument("program"), "--quiet", "sim", "--ros", "--seed", argument("seed"), "--replace", "--out",
                argument("out"), "--ros-args", "--params-file", argument("params"),
            ],
            output="screen",
        ),
        # It waits for the twin's folder.
        ExecuteProcess(
            cmd=[
                argument("program"), "up", "--robot", argument("robot"), "--run", argument("out"), "--wait", "60",
                "--ros-args", *files,
            ],
            output="screen",
        ),
    ])
