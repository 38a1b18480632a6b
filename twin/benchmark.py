"""Steps a robot between boxes in MuJoCo, casts its lidar's beams, and says how long it took, as JSON on standard output.

benchmark.py MODEL; MODEL is the JSON that twin/examples/twin_benchmark.rs writes.
"""

import json
import math
import sys
import time

import mujoco
import numpy as np


def model_of(spec):
    geoms = []
    for centre, yaw, half in spec["boxes"]:
        place = " ".join(f"{v:.6f}" for v in centre)
        size = " ".join(f"{v:.6f}" for v in half)
        turn = f"{math.cos(yaw / 2):.9f} 0 0 {math.sin(yaw / 2):.9f}"
        geoms.append(f'<geom type="box" pos="{place}" quat="{turn}" size="{size}"/>')
    x, y = spec["start"]
    robot = (
        f'<body name="robot" pos="{x} {y} 0.125">'
        '<joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>'
        '<joint name="yaw" type="hinge" axis="0 0 1"/>'
        f'<geom type="cylinder" size="{spec["radius"]} 0.095" mass="{spec["mass"]}"/>'
        '<geom type="cylinder" pos="-0.15 0 0.935" size="0.05 0.84" mass="0.1"/></body>'
    )
    drive = "".join(f'<velocity joint="{j}" kv="2000"/>' for j in ("x", "y", "yaw"))
    return mujoco.MjModel.from_xml_string(
        f'<mujoco><option timestep="{spec["step"]}" gravity="0 0 0"/>'
        f'<worldbody>{"".join(geoms)}{robot}</worldbody><actuator>{drive}</actuator></mujoco>'
    )


def main():
    with open(sys.argv[1]) as stream:
        spec = json.load(stream)
    model = model_of(spec)
    data = mujoco.MjData(model)
    robot = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, "robot")
    beams = spec["beams"]
    angles = np.arange(beams) * (2 * math.pi / beams)
    steps = round(spec["seconds"] / spec["step"])
    data.ctrl[0] = spec["speed"]
    ids, distances = np.zeros(beams, np.int32), np.zeros(beams)
    mujoco.mj_forward(model, data)
    seen = 0
    start = time.process_time()
    for step in range(1, steps + 1):
        if step == steps // 2:
            data.ctrl[0] = -spec["speed"]
        mujoco.mj_step(model, data)
        if step % spec["scan_every"] == 0:
            x, y, yaw = data.qpos[:3]
            at = np.array([spec["start"][0] + x, spec["start"][1] + y, spec["height"]])
            look = angles + yaw
            rays = np.stack([np.cos(look), np.sin(look), np.zeros(beams)], axis=1).ravel()
            mujoco.mj_multiRay(model, data, at, rays, None, 1, robot, ids, distances, None, beams, spec["range"])
            seen += int((distances >= 0).sum())
    cpu = time.process_time() - start
    json.dump({"cpu_s": cpu, "version": mujoco.__version__, "beams_seen": seen}, sys.stdout)


main()
