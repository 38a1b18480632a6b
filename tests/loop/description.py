"""Reads a URDF with PyPI's `urdf_parser_py` and prints where each link is on base_link: position and direction, as JSON."""

import json
import math
import sys

from urdf_parser_py.urdf import URDF

robot = URDF.from_xml_string(sys.stdin.buffer.read())
places = {}
for link in robot.link_map:
    if link == robot.get_root():
        continue
    x = y = z = yaw = 0.0
    for joint in (robot.joint_map[name] for name in robot.get_chain(robot.get_root(), link, links=False)):
        (dx, dy, dz), rpy = joint.origin.xyz, joint.origin.rpy
        x, y, z = x + math.cos(yaw) * dx - math.sin(yaw) * dy, y + math.sin(yaw) * dx + math.cos(yaw) * dy, z + dz
        yaw += rpy[2]
    places[link] = [x, y, z, yaw]
print(json.dumps({"root": robot.get_root(), "places": places,
                  "shapes": sorted({type(link.visual.geometry).__name__ for link in robot.links})}))
