"""Reads a Rerun recording with the viewer's own library and tells what is in it, as JSON on standard output.

review_peer.py FILE.rrd: entities with their rows, components and spans of time, and the number of blueprints.
"""

import json
import sys

import pyarrow
from rerun.experimental import RrdReader


def numbers(column):
    """Times of any kind as whole numbers."""
    return column.cast(pyarrow.int64()).to_pylist() if len(column) else []


def entities(reader):
    told = {}
    for chunk in reader.stream().to_chunks():
        entity = told.setdefault(str(chunk.entity_path), {"rows": 0, "static": False, "components": [], "spans": {}})
        entity["rows"] += chunk.num_rows
        entity["static"] |= chunk.is_static
        batch = chunk.to_record_batch()
        for field in batch.schema:
            if b"rerun:component" in (field.metadata or {}):
                name = field.metadata[b"rerun:component"].decode()
                if name not in entity["components"]:
                    entity["components"].append(name)
        for timeline in chunk.timeline_names:
            times = numbers(batch.column(timeline))
            low, high = entity["spans"].get(timeline, (times[0], times[0]))
            entity["spans"][timeline] = (min(low, *times), max(high, *times))
    return told


def main():
    reader = RrdReader(sys.argv[1])
    (recording,) = reader.recordings()
    json.dump(
        {
            "application": recording.application_id,
            "blueprints": len(reader.blueprints()),
            "entities": entities(reader),
        },
        sys.stdout,
    )


main()
