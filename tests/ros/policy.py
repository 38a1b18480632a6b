"""The SROS 2 policy against the graph: what our nodes publish, hear, offer and call, and nothing else.

    tests/ros/policy.py --write     # writes launch/sros2/policy.xml anew from the graph of a robot and its twin
"""

import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

from rclpy.action import graph as action_graph

POLICY = Path(__file__).resolve().parents[2] / "launch" / "sros2" / "policy.xml"
# What SROS 2 names apart: kind, attribute, tag of an entry.
KINDS = [("topics", "publish", "topic"), ("topics", "subscribe", "topic"), ("services", "reply", "service"),
         ("services", "request", "service"), ("actions", "execute", "action"), ("actions", "call", "action")]


def seen(node, name, namespace):
    """What a node does, as rclpy sees it: names by kind and attribute."""
    arguments = (name, namespace)
    found = {
        ("topics", "publish"): node.get_publisher_names_and_types_by_node(*arguments),
        ("topics", "subscribe"): node.get_subscriber_names_and_types_by_node(*arguments),
        ("services", "reply"): node.get_service_names_and_types_by_node(*arguments),
        ("services", "request"): node.get_client_names_and_types_by_node(*arguments),
        ("actions", "execute"): action_graph.get_action_server_names_and_types_by_node(node, *arguments),
        ("actions", "call"): action_graph.get_action_client_names_and_types_by_node(node, *arguments),
    }
    # The parts of an action are granted with it.
    names = lambda entries: {entry for entry, _ in entries if "/_action/" not in entry}
    return {key: names(entries) for key, entries in found.items()}


def allowed(path=POLICY):
    """What the policy grants, by node and namespace."""
    found = {}
    for profile in xml.parse(path).getroot().iter("profile"):
        granted = {(kind, attribute): set() for kind, attribute, _ in KINDS}
        for kind, attribute, tag in KINDS:
            for group in profile.findall(kind):
                if group.get(attribute) == "ALLOW":
                    granted[kind, attribute] |= {entry.text.strip() for entry in group.findall(tag)}
        found[profile.get("node"), profile.get("ns")] = granted
    return found


def check(peer, nodes):
    """The graph of these nodes and the policy are the same."""
    policy = allowed()
    if set(policy) != set(nodes):
        raise AssertionError(f"the policy is for {sorted(policy)}, there are {sorted(nodes)}")
    for name, namespace in nodes:
        differences = []

        def same():
            differences.clear()
            graph = seen(peer.node, name, namespace)
            for key, granted in policy[name, namespace].items():
                differences.extend(f"{key[0]} {key[1]}: {entry} is not granted" for entry in graph[key] - granted)
                differences.extend(f"{key[0]} {key[1]}: {entry} is granted for nothing" for entry in granted - graph[key])
            return not differences

        try:
            peer.until("the graph as the policy has it", same, 10)
        except AssertionError:
            raise AssertionError(f"{POLICY.name}, {namespace} {name}: {differences}") from None


def write(peer, nodes):
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             "<!-- What the nodes of robot inv_1 and of the twin may do. Written by tests/ros/policy.py (with write) from the",
             "     graph, and compared with it by the tests. docs/sros2.md says how to use it. -->",
             '<policy version="0.2.0">', "  <enclaves>"]
    for enclave, namespace in (("/inv_1", "/inv_1"), ("/twin", "/")):
        lines += [f'    <enclave path="{enclave}">', "      <profiles>"]
        for name in sorted(n for n, ns in nodes if ns == namespace):
            lines.append(f'        <profile ns="{namespace}" node="{name}">')
            graph = seen(peer.node, name, namespace)
            for kind, attribute, tag in KINDS:
                entries = sorted(graph[kind, attribute])
                if entries:
                    lines.append(f'          <{kind} {attribute}="ALLOW">')
                    lines += [f"            <{tag}>{entry}</{tag}>" for entry in entries]
                    lines.append(f"          </{kind}>")
            lines.append("        </profile>")
        lines += ["      </profiles>", "    </enclave>"]
    lines += ["  </enclaves>", "</policy>", ""]
    POLICY.parent.mkdir(exist_ok=True)
    POLICY.write_text("\n".join(lines), encoding="utf8")


def main(peer):
    from peer import Process
    from robot import ALL_NODES
    from launching import commands

    sim, up = (line[1:] for line in commands("sim.launch.py", out=tempfile.mkdtemp()))
    with Process(*sim), Process(*up):
        peer.until("all nodes", lambda: set(ALL_NODES) <= set(peer.node.get_node_names_and_namespaces()))
        peer.spin(8.0)
        if "--write" in sys.argv:
            write(peer, ALL_NODES)
        check(peer, ALL_NODES)


if __name__ == "__main__":
    from peer import run

    run(main)
