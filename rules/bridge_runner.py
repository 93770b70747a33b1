"""A `RuleRunner` with the backends, and a stand-in for the bridge that is small and quick.

The stand-in has the command line of `python -m synapse_bridge`, and what it generates works: a
Python server that answers a line on a TCP socket, and an Elixir client for it. So the rules are
tested for what they do, and the bridge itself elsewhere.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import dedent

from pants.backend.codegen import export_codegen_goal
from pants.backend.python import register as python_backend
from pants.core import register as core
from pants.engine.goal import Goal
from pants.engine.internals.scheduler import ExecutionError
from pants.testutil.rule_runner import GoalRuleResult, RuleRunner

import elixir.register
import synapse.register

__all__ = [
    "BRIDGE",
    "GREETER",
    "ExecutionError",
    "bridge_runner",
    "emptied",
    "run_goal",
    "set_options",
]

# Of the machine; `rules/BUILD` lets the same ones through.
_ENVIRONMENT = {
    "HOME",
    "PANTS_CA_CERTS_PATH",
    "PANTS_PEX_CLI_KNOWN_VERSIONS",
    "PANTS_PEX_CLI_URL_TEMPLATE",
    "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH",
    "PANTS_PYTHON_REPOS_INDEXES",
    "PATH",
    "XDG_CACHE_HOME",
}

_OPTIONS = [
    "--python-infer-use-rust-parser",
    "--python-interpreter-constraints=['CPython==3.9.*']",
    "--source-root-patterns=['/src', '/app']",
]

_TOOL = """
import json
import sys

def option(name):
    return [sys.argv[i + 1] for i, argument in enumerate(sys.argv) if argument == name]

def write(path, text):
    import pathlib
    path = pathlib.Path("out", path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

def lock(path):
    import os
    return json.load(open(path)) if os.path.exists(path) else {}

if sys.argv[1] == "lock":
    (module,), (path,) = option("--module"), option("--lock")
    __import__(module.partition(":")[0])
    source = open(__import__(module.partition(":")[0]).__file__).read()
    new = {**lock(path), module: source}
    if "--check" in sys.argv:
        sys.exit(None if new == lock(path) else path + " is stale")
    print("locked", module)
    json.dump(new, open(path, "w"))
elif sys.argv[1] == "diff":
    old, new = lock(sys.argv[2]), json.load(open(sys.argv[3]))
    changed = old[option("--module")[0]] != new["source"]
    print("changed" if changed else "no change", option("--fail-on")[0])
    sys.exit(1 if changed else 0)
elif sys.argv[1] == "inspect":
    module = option("--module")[0]
    __import__(module.partition(":")[0])
    (config,) = option("--config") or [None]
    contract = {
        "python": module,
        "elixir": option("--elixir-module")[0],
        "functions": option("--function"),
        "config": config and open(config).read(),
        "locks": [sorted(lock(path)) for path in option("--lock")],
        "source": open(sys.modules[module.partition(":")[0]].__file__).read(),
    }
    assert "--json" in sys.argv
    open(option("--output")[0], "w").write(json.dumps(contract))
else:
    contract = json.load(open(option("--contract")[0]))
    assert option("--out") == ["out"]
    stem = contract["elixir"].lower()
    write("contract.json", json.dumps(contract))
    write(f"proto/{stem}/v1/{stem}.proto", "// definition")
    for suffix in ("pb2", "pb2_grpc"):
        write(f"python/{stem}_{suffix}.py", "")
    write(f"python/{stem}_server.py", SERVER.format(**contract))
    write("elixir/mix.exs", "# project")
    write(f"elixir/lib/{stem}.ex", CLIENT.format(**contract))
"""

_SERVER = """
import os, socket, sys, threading
from synapse_bridge import serve
import {python} as module

listener = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
port = listener.getsockname()[1]
if "--port-file" in sys.argv:
    path = sys.argv[sys.argv.index("--port-file") + 1]
    open(path + ".part", "w").write(str(port))
    os.rename(path + ".part", path)
print(f"listening on 127.0.0.1:{{port}}", flush=True)

def answer():
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rw") as lines:
            print("asked", file=sys.stderr, flush=True)
            print(module.greet(lines.readline().strip()), file=lines, flush=True)

threading.Thread(target=answer, daemon=True).start()
if "--exit-with-parent" in sys.argv:
    sys.stdin.read()
"""

_CLIENT = """
defmodule {elixir} do
  use Runtime.Client

  def greet(name) do
    [host, port] = String.split(Agent.get(__MODULE__, & &1), ":")
    options = [:binary, active: false, packet: :line]
    {{:ok, socket}} = :gen_tcp.connect(to_charlist(host), String.to_integer(port), options)
    :ok = :gen_tcp.send(socket, name <> "\\\\n")
    {{:ok, line}} = :gen_tcp.recv(socket, 0)
    String.trim(line)
  end
end
"""

BRIDGE = {
    "src/synapse_bridge/__init__.py": "",
    "src/synapse_bridge/serve.py": "",
    "src/synapse_bridge/__main__.py": (
        f"SERVER = '''{_SERVER}'''\nCLIENT = '''{_CLIENT}'''\n{_TOOL}"
    ),
    "src/synapse_bridge/BUILD": "python_sources()",
    "elixir/synapse_bridge/lib/client.ex": dedent(
        """\
        defmodule Runtime.Client do
          defmacro __using__(_options) do
            quote do
              def child_spec(options) do
                %{id: __MODULE__, start: {__MODULE__, :start_link, [options]}}
              end

              def start_link(options) do
                Agent.start_link(fn -> Keyword.fetch!(options, :target) end, name: __MODULE__)
              end
            end
          end
        end
        """
    ),
    "elixir/synapse_bridge/BUILD": "elixir_sources()",
}

GREETER = {
    "app/greeting.py": "def greet(name):\n    return f'Hello, {name}!'\n",
    "app/BUILD": dedent(
        """\
        python_sources()
        synapse_service(name="greeter", module="greeting", elixir_module="Greeter")
        exunit_tests(name="tests")
        """
    ),
    "app/test/greeter_test.exs": dedent(
        """\
        defmodule GreeterTest do
          use ExUnit.Case

          test "Python greets" do
            assert Greeter.greet("Zoë") == "Hello, Zoë!"
          end
        end
        """
    ),
}


def bridge_runner(*queries: object) -> RuleRunner:
    """A runner that can do all that the backends do, and answers `queries`."""
    runner = RuleRunner(
        rules=[
            *core.rules(),
            *python_backend.rules(),
            *export_codegen_goal.rules(),
            *elixir.register.rules(),
            *synapse.register.rules(),
            *queries,
        ],
        target_types=[
            *core.target_types(),
            *python_backend.target_types(),
            *elixir.register.target_types(),
            *synapse.register.target_types(),
        ],
    )
    set_options(runner)
    return runner


def emptied(runner: RuleRunner) -> RuleRunner:
    """The same runner with an empty workspace: building one takes seconds, emptying it nothing."""
    root = Path(runner.build_root)
    files = [path.relative_to(root) for path in root.rglob("*") if path.name != "BUILDROOT"]
    for path in root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "BUILDROOT":
            path.unlink()
    # What `write_files` does for what it writes; there is no public call for what is removed.
    runner._invalidate_for(*map(str, files))
    set_options(runner)
    return runner


def set_options(runner: RuleRunner, *options: str) -> None:
    runner.set_options([*_OPTIONS, *options], env_inherit=_ENVIRONMENT)


def run_goal(runner: RuleRunner, goal: type[Goal], *addresses: str) -> GoalRuleResult:
    return runner.run_goal_rule(
        goal, global_args=_OPTIONS, args=addresses, env_inherit=_ENVIRONMENT
    )
