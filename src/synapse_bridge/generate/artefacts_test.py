"""Everything that is generated is accepted by the tools of its language, without a warning."""

from __future__ import annotations

import base64
import shutil
import sys
from pathlib import Path

import pytest

import synapse_bridge
from synapse_bridge.generate import generate
from synapse_bridge.generate.elixir_docs import Documentation
from synapse_bridge.generate.testing import BUF, CASES, check_mix_format, run

needs_elixir = pytest.mark.skipif(shutil.which("elixirc") is None, reason="needs Elixir")
needs_buf = pytest.mark.skipif(BUF is None, reason="needs buf (build-support/buf)")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the outputs of every case."""
    root = tmp_path_factory.mktemp("generated")
    for case in CASES.values():
        for path, text in generate(case.contract()).items():
            target = root / case.name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def test_python_is_formatted_and_free_of_lint(generated: Path) -> None:
    servers = sorted(generated.glob("*/python/*_server.py"))
    assert len(servers) == len(CASES)
    ruff = (sys.executable, "-m", "ruff")
    run(*ruff, "format", "--isolated", "--diff", *servers, cwd=generated)
    run(*ruff, "check", "--isolated", *servers, cwd=generated)


def test_python_type_checks_strictly(generated: Path) -> None:
    servers = sorted(generated.glob("*/python/*_server.py"))
    roots = [Path(synapse_bridge.__file__).parents[1], *(case.folder for case in CASES.values())]
    roots += [generated / case.name / "python" for case in CASES.values()]
    settings = generated / "mypy.ini"
    settings.write_text(
        f"[mypy]\nstrict = True\nmypy_path = {':'.join(map(str, roots))}\n"
        # Only generated code is looked at: users' modules may be written as they like.
        + "".join(f"[mypy-{case.module}]\nignore_errors = True\n" for case in CASES.values())
        + "[mypy-google.type.*]\nignore_missing_imports = true\n"
        + "[mypy-synapse_bridge.*]\nfollow_imports = silent\n"
    )
    run(sys.executable, "-m", "mypy", "--config-file", settings, *servers, cwd=generated)


@needs_elixir
def test_elixir_is_formatted(generated: Path) -> None:
    sources = [*generated.glob("*/elixir/**/*.ex*"), *generated.glob("*/elixir/.*.exs")]
    assert len(sources) > 100
    check_mix_format(sources, generated)


@pytest.fixture(scope="module")
def beams(generated: Path, elixir_runtime: Path) -> Path:
    """A folder with every generated client, compiled; a warning is an error."""
    compiled = generated / "beams"
    compiled.mkdir()
    sources = sorted(generated.glob("*/elixir/lib/**/*.ex"))
    flags = ("--warnings-as-errors", "-pa", elixir_runtime, "-o", compiled)
    assert run("elixirc", *flags, *sources, cwd=generated) == ""
    return compiled


@needs_elixir
def test_elixir_compiles_without_warnings(beams: Path) -> None:
    modules = {path.name for path in beams.glob("*.beam")}
    for case in CASES.values():
        contract = case.contract()
        expected = {contract.service.elixir, *(item.elixir for item in contract.messages)}
        assert {f"Elixir.{module}.beam" for module in expected} <= modules


@needs_elixir
def test_documentation_arrives_as_it_was_written(generated: Path, beams: Path) -> None:
    """Quotes, interpolation and backslashes of a docstring are text in Elixir, to the character."""
    contract = CASES["hostile"].contract()
    docs = Documentation(contract)
    expected = {contract.service.elixir: docs.service()}
    for message in contract.messages:
        if message.role == "model":
            expected[message.elixir] = docs.message(message)
    script = generated / "docs.exs"
    script.write_text(
        """
        for module <- System.argv() do
          {:docs_v1, _, _, _, %{"en" => doc}, _, _} = Code.fetch_docs(Module.concat([module]))
          IO.puts(Base.encode64(doc))
        end
        """
    )
    printed = run("elixir", "-pa", beams, script, *expected, cwd=generated).split()
    for encoded, (module, doc) in zip(printed, expected.items(), strict=True):
        assert base64.b64decode(encoded).decode().startswith(doc + "\n"), module


@needs_elixir
def test_what_a_union_gives_it_takes(generated: Path, beams: Path, elixir_runtime: Path) -> None:
    """Whatever a server sends can be sent back as it is: the same member, with the same value."""
    support = Path(synapse_bridge.__file__).parents[2] / "elixir/synapse_bridge/test/support"
    script = generated / "unions.exs"
    script.write_text(
        """
        [support | beams] = System.argv()
        Code.require_file(Path.join(support, "random_values.ex"))
        alias SynapseBridge.RandomValues
        seed = RandomValues.seed()

        given = fn union ->
          value = RandomValues.value({:union, union}, 3)
          {io, _size} = union.__encode__(value)
          decoded = union.__decode__(IO.iodata_to_binary(io), 99)
          taken = union.__cast__(decoded, [], 0)

          # A random value may break a constraint, but it is always known what it is.
          with {:"$invalid", violations} <- taken,
               [] <- for(%{rule: "union" <> _} = violation <- violations, do: violation) do
            0
          else
            ^decoded -> 1
            wrong -> raise "seed #{seed}: #{inspect(union)} #{inspect(value)}: #{inspect(wrong)}"
          end
        end

        for beam <- beams do
          union = beam |> Path.basename(".beam") |> String.to_atom()
          Code.ensure_loaded!(union)

          if function_exported?(union, :__synapse__, 1) and union.__synapse__(:kind) == :union do
            taken = for _ <- 1..200, reduce: 0, do: (sum -> sum + given.(union))
            if taken == 0, do: raise("#{inspect(union)} took nothing")
            IO.puts(inspect(union))
          end
        end
        """
    )
    files = sorted(beams.glob("Elixir.*.beam"))
    paths = ("-pa", beams, "-pa", elixir_runtime)
    printed = run("elixir", *paths, script, support, *files, cwd=generated).split()
    unions = {union.elixir for case in CASES.values() for union in case.contract().unions}
    assert {*printed} == unions


@needs_buf
@pytest.mark.parametrize("case", CASES)
def test_proto_is_formatted_and_passes_lint(generated: Path, case: str) -> None:
    module = generated / case / "proto"
    foreign = [name for name in ("buf", "google") if (module / name).exists()]
    paths = [part for name in foreign for part in ("--exclude-path", name)]
    assert BUF is not None
    run(BUF, "format", "--diff", "--exit-code", *paths, cwd=module)
    run(BUF, "lint", cwd=module)
    run(BUF, "build", cwd=module)
