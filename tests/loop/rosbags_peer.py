"""Writes a bag again with PyPI's rosbags: every message is taken apart and put together by its definition.

rosbags_peer.py BAG NEW mcap|sqlite3: BAG is a folder with NAME_0.mcap; prints the number of messages.
"""

import sys
from pathlib import Path

from mcap.reader import make_reader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore


def main():
    bag, new, storage = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    store = get_typestore(Stores.EMPTY)
    known, connections, count = set(), {}, 0
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    with open(bag / f"{bag.name}_0.mcap", "rb") as stream, Writer(new, version=9, storage_plugin=plugin) as out:
        for schema, channel, message in make_reader(stream).iter_messages():
            if schema.name not in known:
                known.add(schema.name)
                store.register(get_types_from_msg(schema.data.decode(), schema.name))
            if channel.topic not in connections:
                connections[channel.topic] = out.add_connection(channel.topic, schema.name, typestore=store)
            data = store.serialize_cdr(store.deserialize_cdr(message.data, schema.name), schema.name)
            out.write(connections[channel.topic], message.log_time, data)
            count += 1
    print(count)


main()
