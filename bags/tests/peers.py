"""Reads or writes bags with PyPI's rosbags and mcap.

peers.py read FOLDER FILE | read_file FILE | read_folder FOLDER | write FOLDER DEFINITIONS.json STORAGE
| repack FILE NEW COMPRESSION; answers in JSON on standard output. STORAGE: mcap, sqlite3, sqlite3-old, sqlite3-zstd.
"""

import json
import sys
from pathlib import Path

import numpy
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer as McapWriter
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from ruamel.yaml import YAML

JAZZY = get_typestore(Stores.ROS2_JAZZY)


def tell(messages):
    return [[c.topic, c.msgtype, stamp, bytes(data).hex()] for c, stamp, data in messages]


def read_file(file, out):
    with AnyReader([file], default_typestore=JAZZY) as reader:
        out["any_reader_file"] = tell(reader.messages())
    with open(file, "rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        out["profile"] = reader.get_header().profile
        out["mcap"] = [[c.topic, s.name, m.log_time, m.data.hex()] for s, c, m in reader.iter_messages()]
    return out


def read(folder, file, out):
    read_file(file, out)
    with Reader(folder) as reader:
        out["rosbag2_reader"] = tell(reader.messages())
        topics = {c.topic: {"name": c.topic, "type": c.msgtype, "hash": c.digest,
                            "durability": c.ext.offered_qos_profiles[0].durability.name} for c in reader.connections}
    with AnyReader([folder], default_typestore=JAZZY) as reader:
        messages = list(reader.messages())
        out["any_reader"] = tell(messages)
        known = [(data, c.msgtype) for c, _, data in messages if "/srv/" not in c.msgtype]
        out["decoded"] = len([reader.deserialize(data, msgtype) for data, msgtype in known])
    with open(file, "rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        summary = reader.get_summary()
        out["compression"] = [c.compression for c in summary.chunk_indexes]
        for channel in summary.channels.values():
            schema = summary.schemas[channel.schema_id]
            topics[channel.topic] |= {"channel_hash": channel.metadata["topic_type_hash"],
                                      "schema_encoding": schema.encoding, "message_encoding": channel.message_encoding}
            profiles = YAML(typ="safe").load(channel.metadata["offered_qos_profiles"])
            assert profiles[0]["depth"] in (1, 10), profiles
        # Raises where a message does not decode. This peer knows no type with an underscore, so none of an action.
        plain = [c.topic for c in summary.channels.values() if "_" not in summary.schemas[c.schema_id].name.split("/")[2]]
        decoded = len(list(reader.iter_decoded_messages(topics=plain)))
        assert decoded == len([m for m in out["mcap"] if m[0] in plain]) > 0
        kept = {m.name: m.metadata for m in reader.iter_metadata()}
        assert YAML(typ="safe").load(kept["rosbag2"]["serialized_metadata"])["message_count"] == len(out["mcap"])
    out["topics"] = list(topics.values())
    out["metadata"] = YAML(typ="safe").load(folder / "metadata.yaml")["rosbag2_bagfile_information"]
    return out


def read_folder(folder):
    told = YAML(typ="safe").load(folder / "metadata.yaml")["rosbag2_bagfile_information"]
    with Reader(folder) as reader:
        return {"files": told["relative_file_paths"], "messages": tell(reader.messages()),
                "duration": reader.duration, "count": reader.message_count}


def repack(file, new, compression):
    """The same messages in a file by the mcap library, with small chunks."""
    with open(file, "rb") as stream, open(new, "wb") as out:
        writer = McapWriter(out, chunk_size=2000, compression=CompressionType[compression.name.upper()])
        writer.start(profile="ros2")
        schemas, channels, told = {}, {}, []
        for schema, channel, message in make_reader(stream).iter_messages():
            if schema.name not in schemas:
                schemas[schema.name] = writer.register_schema(schema.name, schema.encoding, schema.data)
            if channel.topic not in channels:
                channels[channel.topic] = writer.register_channel(channel.topic, "cdr", schemas[schema.name], channel.metadata)
            writer.add_message(channels[channel.topic], message.log_time, message.data, message.publish_time)
            told.append([channel.topic, schema.name, message.log_time, message.data.hex()])
        writer.finish()
    return {"messages": told}


def write(folder, definitions, storage):
    storage = storage.name
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in json.load(open(definitions, encoding="utf8")).items():
        store.register(get_types_from_msg(text, name))
    types = store.types

    def header(ns, frame):
        stamp = types["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)
        return types["std_msgs/msg/Header"](stamp=stamp, frame_id=frame)

    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    bag = Writer(folder, version=8 if storage == "sqlite3-old" else 9, storage_plugin=plugin)
    if storage == "sqlite3-zstd":
        bag.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
    with bag:
        def put(topic, name, messages):
            connection = bag.add_connection(topic, name, typestore=store)
            for ns, message in messages:
                bag.write(connection, ns, store.serialize_cdr(message, name))

        start, step = 1_700_000_000 * 10**9, 50_000_000
        read = types["shelfwright_msgs/msg/TagRead"]
        put("/inv_1/reads", "shelfwright_msgs/msg/TagRead", [
            (start + i * step, read(header=header(start + i * step, "inv_1/antenna_1"), reader="r", protocol=1, antenna=1,
                                    uid=numpy.array([0xE2, 0x80, i], dtype=numpy.uint8), rssi_dbm=-50.0,
                                    phase_rad=i * 0.25, frequency_hz=922.375e6)) for i in range(20)])
        vector, quaternion = types["geometry_msgs/msg/Vector3"], types["geometry_msgs/msg/Quaternion"]
        transform = types["geometry_msgs/msg/Transform"](
            translation=vector(x=1.0, y=2.0, z=3.0), rotation=quaternion(x=0.0, y=0.0, z=0.0, w=1.0))
        stamped = types["geometry_msgs/msg/TransformStamped"]
        put("/tf", "tf2_msgs/msg/TFMessage", [
            (start + i * step, types["tf2_msgs/msg/TFMessage"](transforms=[stamped(
                header=header(start + i * step, "inv_1/odom"), child_frame_id="inv_1/base_link", transform=transform)]))
            for i in range(20)])
        scan = types["sensor_msgs/msg/LaserScan"]
        put("/inv_1/scan", "sensor_msgs/msg/LaserScan", [
            (start + i * step, scan(
                header=header(start + i * step, "inv_1/laser"), angle_min=0.0, angle_max=1.0, angle_increment=1.0,
                time_increment=0.0, scan_time=0.1, range_min=0.1, range_max=10.0,
                ranges=numpy.array([1.0, numpy.inf], dtype=numpy.float32),
                intensities=numpy.array([], dtype=numpy.float32))) for i in range(20)])
        put("/note", "std_msgs/msg/Int32", [(start + i, types["std_msgs/msg/Int32"](data=i)) for i in range(3)])
    return read_folder(folder)


def main():
    what, *paths = sys.argv[1:]
    paths = [Path(p) for p in paths]
    if what == "read":
        answer = read(*paths, {})
    elif what == "read_file":
        answer = read_file(*paths, {})
    elif what == "read_folder":
        answer = read_folder(*paths)
    elif what == "repack":
        answer = repack(*paths)
    else:
        answer = write(*paths)
    json.dump(answer, sys.stdout, default=str)


main()
