"""All nodes of one robot in one process: ros2 launch launch/robot.launch.py site:=site.toml catalogue:=books.csv"""

import os

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration

HERE = os.path.dirname(os.path.abspath(__file__))


def generate_launch_description():
    argument = LaunchConfiguration
    return LaunchDescription([
        DeclareLaunchArgument("program", default_value="shelfwright", description="built with its ROS 2 host"),
        DeclareLaunchArgument("robot", default_value="inv_1", description="name, and namespace, of the robot"),
        DeclareLaunchArgument("site", description="site.toml"),
        DeclareLaunchArgument("catalogue", description="the library's books"),
        DeclareLaunchArgument("params", default_value=os.path.join(HERE, "params", "robot.yaml")),
        ExecuteProcess(
            cmd=[
                argument("program"), "up", "--robot", argument("robot"), "--site", argument("site"),
                "--catalogue", argument("catalogue"), "--ros-args", "--params-file", argument("params"),
            ],
            output="screen",
        ),
    ])
