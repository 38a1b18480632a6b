"""Several robots, each in its namespace: ros2 launch launch/fleet.launch.py robots:=inv_1,inv_2 site:=site.toml catalogue:=books.csv

With sim:=true, a twin of the scenario plays them all: ros2 launch launch/fleet.launch.py robots:=inv_1,inv_2 sim:=true
scenario:=pair.toml out:=/tmp/fleet
"""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration

HERE = os.path.dirname(os.path.abspath(__file__))


def processes(context):
    def argument(name):
        return LaunchConfiguration(name).perform(context)

    program, sim = argument("program"), argument("sim") == "true"
    files = ["--params-file", argument("params")]
    if sim:
        files += ["--params-file", argument("sim_params")]
        place = ["--run", argument("out"), "--wait", "120"]
        scenario = [argument("scenario")] if argument("scenario") else []
        yield ExecuteProcess(
            cmd=[program, "--quiet", "sim", *scenario, "--ros", "--replace", "--out", argument("out"), "--ros-args", *files],
            output="screen",
        )
    else:
        place = ["--site", argument("site"), "--catalogue", argument("catalogue")]
    for number, robot in enumerate(argument("robots").split(",")):
        # One map serves all.
        without = ["--without", "map-server"] if number else []
        yield ExecuteProcess(
            cmd=[program, "up", "--robot", robot, *place, *without, "--ros-args", *files], output="screen",
        )


def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument("program", default_value="shelfwright", description="built with its ROS 2 host"),
        DeclareLaunchArgument("robots", default_value="inv_1,inv_2", description="names, and namespaces, of the robots"),
        DeclareLaunchArgument("site", default_value="site.toml"),
        DeclareLaunchArgument("catalogue", default_value="catalogue.csv", description="the library's books"),
        DeclareLaunchArgument("params", default_value=os.path.join(HERE, "params", "robot.yaml")),
        DeclareLaunchArgument("sim", default_value="false", description="whether a twin plays the robots"),
        DeclareLaunchArgument("scenario", default_value="", description="the twin's scenario; the demo library without"),
        DeclareLaunchArgument("out", default_value="out/fleet", description="folder for the twin's site and catalogue"),
        DeclareLaunchArgument("sim_params", default_value=os.path.join(HERE, "params", "sim.yaml")),
        OpaqueFunction(function=lambda context: list(processes(context))),
    ])
