from __future__ import annotations

import io
import tarfile

from pants.core.goals.package import BuiltPackage
from pants.engine.addresses import Address
from pants.engine.fs import DigestContents
from pants.engine.internals.native_engine import Digest
from pants.engine.rules import QueryRule

from bridge_runner import bridge_runner
from elixir.mix_package import MixPackageFieldSet


def test_a_package_has_the_project_and_its_libraries() -> None:
    runner = bridge_runner(
        QueryRule(BuiltPackage, [MixPackageFieldSet]), QueryRule(DigestContents, [Digest])
    )
    runner.write_files(
        {
            "lib/x/BUILD": "elixir_sources()\nmix_package(name='package', dependencies=[':x'])",
            "lib/x/mix.exs": "# project",
            "lib/x/README.md": "# x",
            "lib/x/lib/x.ex": "defmodule X do\nend\n",
            "lib/x/test/x_test.exs": "",
        }
    )
    target = runner.get_target(Address("lib/x", target_name="package"))
    package = runner.request(BuiltPackage, [MixPackageFieldSet.create(target)])
    assert [artifact.relpath for artifact in package.artifacts] == ["lib.x/package.tar.gz"]
    (archive,) = runner.request(DigestContents, [package.digest])
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as files:
        assert {member.name for member in files if member.isfile()} == {
            "README.md",
            "lib/x.ex",
            "mix.exs",
        }
