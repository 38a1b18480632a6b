"""Decodes and encodes messages with PyPI's rosbags and mcap-ros2-support: peers.py IN.json OUT.json"""

import json
import math
import sys

import numpy
from mcap_ros2._dynamic import generate_dynamic, serialize_dynamic
from rosbags.typesys import Stores, get_types_from_msg, get_typestore


def same(a, b):
    """Whether two decoded values are equal, NaN included."""
    if isinstance(a, (list, tuple, numpy.ndarray, bytes)) or isinstance(b, (list, tuple, numpy.ndarray, bytes)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, (float, numpy.floating)):
        return (math.isnan(a) and math.isnan(b)) or a == b
    if isinstance(a, (bool, int, str, numpy.integer, numpy.bool_)):
        return a == b
    # rosbags puts an underscore after a field that is a word of Python.
    return all(same(getattr(a, f if hasattr(a, f) else f + "_"), getattr(b, f)) for f in type(b).__slots__)


def register(name, definition):
    """A store with the type and all it uses; one that rosbags has must be the same there."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types = get_types_from_msg(definition, name)
    store.register(types)
    return store


def main():
    request = json.load(open(sys.argv[1], encoding="utf8"))
    out = {"cases": []}
    for case in request["cases"]:
        name, definition = case["type"], case["definition"]
        # rosbags knows the namespaces msg and action.
        peer_name = name.replace("/srv/", "/msg/")
        store = register(peer_name, definition)
        result = {"hash": store.hash_rihs01(name) if peer_name == name else None, "rosbags": [], "mcap_ros2": []}
        for full, plain in case["plain_names"]:
            name, definition = name.replace(full, plain), definition.replace(full, plain)
        decode = generate_dynamic(name, definition)[name]
        encode = serialize_dynamic(name, definition)[name]
        for text in case["messages"]:
            data = bytes.fromhex(text)
            ours = store.deserialize_cdr(data, peer_name)
            other = decode(data)
            assert same(ours, other), (name, ours, other)
            result["rosbags"].append(bytes(store.serialize_cdr(ours, peer_name)).hex())
            result["mcap_ros2"].append(bytes(encode(other)).hex())
        out["cases"].append(result)
    if "tag_read" in request:
        name = "shelfwright_msgs/msg/TagRead"
        store = register(name, request["tag_read"])
        types = store.types
        stamp = types["builtin_interfaces/msg/Time"](sec=1_700_000_000, nanosec=123_456_789)
        read = types[name](
            header=types["std_msgs/msg/Header"](stamp=stamp, frame_id="inv_1/antenna_2"),
            reader="阅读器",
            protocol=1,
            antenna=2,
            uid=numpy.array([0xE2, 0x80, 0x11, 0x70], dtype=numpy.uint8),
            rssi_dbm=-51.5,
            phase_rad=float("nan"),
            frequency_hz=922.375e6,
        )
        out["tag_read"] = bytes(store.serialize_cdr(read, name)).hex()
        out["tag_read_hash"] = store.hash_rihs01(name)
    json.dump(out, open(sys.argv[2], "w", encoding="utf8"))


main()
