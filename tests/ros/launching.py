"""Reads our launch files without `ros2 launch`, which the wheels have not: their arguments and the commands they start."""

import importlib.util
import sys
import types
from pathlib import Path

LAUNCH = Path(__file__).resolve().parents[2] / "launch"


class Argument:
    def __init__(self, name, default_value=None, description=""):
        self.name, self.default = name, default_value


class Value:
    def __init__(self, name):
        self.name = name

    def perform(self, context):
        return context[self.name]


class Function:
    def __init__(self, function):
        self.function = function


class Command:
    def __init__(self, cmd, output=None):
        self.cmd = cmd


def commands(file, **given):
    """The command lines of a launch file with these arguments, as `ros2 launch` would start them."""
    modules = {
        "launch": types.SimpleNamespace(LaunchDescription=list),
        "launch.actions": types.SimpleNamespace(DeclareLaunchArgument=Argument, ExecuteProcess=Command,
                                                OpaqueFunction=Function),
        "launch.substitutions": types.SimpleNamespace(LaunchConfiguration=Value),
    }
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        spec = importlib.util.spec_from_file_location("described", LAUNCH / file)
        described = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(described)
        entities = described.generate_launch_description()
    finally:
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
    values = {e.name: given.get(e.name, e.default) for e in entities if isinstance(e, Argument)}
    missing = [name for name, value in values.items() if value is None] + [n for n in given if n not in values]
    if missing:
        raise AssertionError(f"{file}: arguments without a value, or unknown: {missing}")
    context = dict(values)
    entities = [part for e in entities for part in (e.function(context) if isinstance(e, Function) else [e])]
    return [[values[part.name] if isinstance(part, Value) else part for part in e.cmd]
            for e in entities if isinstance(e, Command)]
