"""The Elixir targets and their fields."""

from __future__ import annotations

from typing import ClassVar

from pants.core.goals.package import OutputPathField
from pants.core.goals.test import TestExtraEnvVarsField, TestTimeoutField
from pants.engine.fs import GlobMatchErrorBehavior
from pants.engine.target import (
    COMMON_TARGET_FIELDS,
    Dependencies,
    MultipleSourcesField,
    SingleSourceField,
    SourcesField,
    Target,
)


class ElixirDependenciesField(Dependencies):
    help = (
        "Addresses of the targets that this one needs beyond those inferred. A dependency is "
        "inferred for every Elixir module that the code names and that an `elixir_sources` target "
        "defines or a `synapse_service` generates."
    )


class ElixirFileField(SourcesField):
    """Any field whose files are Elixir source: what `mix format` formats."""

    uses_source_roots = False
    expected_file_extensions: ClassVar[tuple[str, ...]] = (".ex", ".exs")


class ElixirLibrarySourcesField(ElixirFileField, MultipleSourcesField):
    default = ("lib/**/*.ex",)
    help = (
        "The `.ex` files that make up this library, relative to the BUILD file. They are compiled "
        "together, so they may depend on each other in any order."
    )


class ExUnitSourcesField(ElixirFileField, MultipleSourcesField):
    default = ("test/**/*_test.exs", "test/test_helper.exs")
    help = (
        "The test files, relative to the BUILD file. A file whose name does not end in `_test.exs` "
        "is a helper, loaded before the tests."
    )


class ExUnitTimeoutField(TestTimeoutField):
    help = (
        "Seconds after which this target's tests are stopped and count as failed. The servers "
        "booted for them stop as well. Bounded by `[test].timeout_maximum`."
    )


class ExUnitExtraEnvVarsField(TestExtraEnvVarsField):
    help = (
        "Environment variables that the tests can see: `NAME=value`, or `NAME` to copy the "
        "variable of the caller. A changed value runs the tests again."
    )


class ElixirScriptSourceField(ElixirFileField, SingleSourceField):
    expected_file_extensions = (".exs",)
    help = "The `.exs` file to run, relative to the BUILD file."


class ElixirFilesField(ElixirFileField, MultipleSourcesField):
    required = True
    help = "The `.ex` and `.exs` files, relative to the BUILD file."


class MixProjectSourcesField(ElixirFileField, MultipleSourcesField):
    default = ("mix.exs", ".formatter.exs")
    help = "The files that make the folder a Mix project, relative to the BUILD file."


class MixPackageFilesField(MultipleSourcesField):
    alias = "files"
    uses_source_roots = False
    default = ("README.md", "LICENSE*", "CHANGELOG.md")
    default_glob_match_error_behavior = GlobMatchErrorBehavior.ignore
    help = "Other files that go into the package, relative to the BUILD file."


class MixPackageOutputPathField(OutputPathField):
    help = (
        "Where the package is written, relative to `dist/`. The default is the folder and name of "
        "the target, with the ending `.tar.gz`."
    )


class ElixirSources(Target):
    alias = "elixir_sources"
    core_fields = (*COMMON_TARGET_FIELDS, ElixirDependenciesField, ElixirLibrarySourcesField)
    help = "An Elixir library: files that are compiled together, once, for all who depend on it."


class ExUnitTests(Target):
    alias = "exunit_tests"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        ElixirDependenciesField,
        ExUnitSourcesField,
        ExUnitTimeoutField,
        ExUnitExtraEnvVarsField,
    )
    help = (
        "ExUnit tests, run together by one BEAM with the target's folder as current directory, as "
        "`mix test` does.\n\n"
        "For every `synapse_service` that the tests depend on, its server is booted on a free "
        "loopback port and its client is connected before the first test, so that tests simply "
        "call it."
    )


class ElixirScript(Target):
    alias = "elixir_script"
    core_fields = (*COMMON_TARGET_FIELDS, ElixirDependenciesField, ElixirScriptSourceField)
    help = (
        "An Elixir program for `run`. Arguments after `--` are its `System.argv/0`.\n\n"
        "For every `synapse_service` that the program depends on, its server is booted on a free "
        "loopback port and its client is connected first; the servers stop with the program."
    )


class ElixirFiles(Target):
    alias = "elixir_files"
    core_fields = (*COMMON_TARGET_FIELDS, ElixirDependenciesField, ElixirFilesField)
    help = (
        "Elixir files that something else compiles or runs: they are formatted, and there for the "
        "programs and tests that depend on them."
    )


class MixPackage(Target):
    alias = "mix_package"
    core_fields = (
        *COMMON_TARGET_FIELDS,
        ElixirDependenciesField,
        MixProjectSourcesField,
        MixPackageFilesField,
        MixPackageOutputPathField,
    )
    help = (
        "The Mix project of this folder, for `package`: its `mix.exs` and other files, and the "
        "sources of the `elixir_sources` in its dependencies, as a `.tar.gz`."
    )
