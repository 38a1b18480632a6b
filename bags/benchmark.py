"""Reads or writes a bag with PyPI's mcap or rosbags and says how long it took, as JSON on standard output.

benchmark.py read-mcap | read-rosbags | write-mcap | write-rosbags FOLDER [NEW]; FOLDER holds NAME_0.mcap.
"""

import json
import sys
import time
from pathlib import Path

from mcap.reader import make_reader
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import Reader, StoragePlugin, Writer


def read_mcap(folder):
    messages = size = 0
    with open(folder / f"{folder.name}_0.mcap", "rb") as stream:
        for _, _, message in make_reader(stream).iter_messages():
            messages += 1
            size += len(message.data)
    return messages, size


def read_rosbags(folder):
    messages = size = 0
    with Reader(folder) as reader:
        for _, _, data in reader.messages():
            messages += 1
            size += len(data)
    return messages, size


def held(folder):
    with open(folder / f"{folder.name}_0.mcap", "rb") as stream:
        return [(s, c, m.log_time, m.data) for s, c, m in make_reader(stream).iter_messages()]


def write_mcap(messages, new):
    size = 0
    with open(new, "wb") as stream:
        writer = McapWriter(stream)
        writer.start(profile="ros2")
        channels = {}
        for schema, channel, stamp, data in messages:
            if channel.topic not in channels:
                number = writer.register_schema(schema.name, schema.encoding, schema.data)
                channels[channel.topic] = writer.register_channel(channel.topic, "cdr", number, channel.metadata)
            writer.add_message(channels[channel.topic], stamp, data, stamp)
            size += len(data)
        writer.finish()
    return len(messages), size


def write_rosbags(messages, new):
    size = 0
    with Writer(new, version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        connections = {}
        for schema, channel, stamp, data in messages:
            if channel.topic not in connections:
                connections[channel.topic] = bag.add_connection(
                    channel.topic, schema.name, msgdef=schema.data.decode(), rihs01=channel.metadata["topic_type_hash"])
            bag.write(connections[channel.topic], stamp, data)
            size += len(data)
    return len(messages), size


def main():
    what, *paths = sys.argv[1:]
    paths = [Path(p) for p in paths]
    messages = held(paths[0]) if what.startswith("write") else None
    start = time.perf_counter()
    if what == "read-mcap":
        count, size = read_mcap(paths[0])
    elif what == "read-rosbags":
        count, size = read_rosbags(paths[0])
    elif what == "write-mcap":
        count, size = write_mcap(messages, paths[1])
    else:
        count, size = write_rosbags(messages, paths[1])
    seconds = time.perf_counter() - start
    # Of this process alone: getrusage tells what the process that started it held, too.
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:")) / 1024
    json.dump({"messages": count, "bytes": size, "seconds": seconds, "peak_mib": peak}, sys.stdout)


main()
