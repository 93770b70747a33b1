"""The only file that knows which Pants it runs on.

Rules elsewhere use the call-by-name idiom of current Pants. Here, Pants 2.32 and later gets plain
re-exports, and Pants 2.17 gets functions of the same names that build the equivalent `Get`.
When support of 2.17 ends, delete the `else` branch and inline the imports.

Call a rule in one of two ways only, as both branches understand them:

    await f(request, **implicitly())              # request is f's first parameter
    await f(**implicitly({value: ItsType}))       # any value that rules can turn into f's inputs

Define a rule above the rules that call it, let no two rules share first parameter and output
types, and pass rules to `concurrently`, never coroutines of other functions.
"""

from __future__ import annotations

from typing import Any, Callable, get_type_hints

from pants.version import PANTS_SEMVER

MODERN = PANTS_SEMVER.release[:2] >= (2, 32)  # mypy: --always-true or --always-false MODERN

if MODERN:
    from pants.backend.python.dependency_inference.module_mapper import map_module_to_address
    from pants.backend.python.util_rules.pex import (
        create_pex,
        create_venv_pex,
        setup_venv_pex_process,
    )
    from pants.backend.python.util_rules.pex_from_targets import create_pex_from_targets
    from pants.backend.python.util_rules.python_sources import prepare_python_sources
    from pants.core.goals.test import TestResult
    from pants.core.util_rules.archive import create_archive
    from pants.core.util_rules.config_files import find_config_file
    from pants.core.util_rules.env_vars import environment_vars_subset
    from pants.core.util_rules.source_files import determine_source_files
    from pants.core.util_rules.system_binaries import find_binary
    from pants.engine.internals.graph import (
        determine_explicitly_provided_dependencies,
        resolve_targets,
        resolve_unparsed_address_inputs,
        transitive_targets,
    )
    from pants.engine.intrinsics import (
        add_prefix,
        create_digest,
        digest_subset_to_digest,
        digest_to_snapshot,
        execute_process,
        get_digest_contents,
        merge_digests,
        path_globs_to_digest,
        path_globs_to_paths,
        remove_prefix,
    )
    from pants.engine.process import execute_process_or_raise
    from pants.engine.rules import concurrently, implicitly, rule
    from pants.source.source_root import get_source_root

    def test_result(process_result: Any, address: Any, output: Any, **fields: Any) -> TestResult:
        return TestResult.from_fallible_process_result((process_result,), address, output, **fields)

else:
    import inspect

    from pants.backend.python.dependency_inference.module_mapper import (
        PythonModuleOwners,
        PythonModuleOwnersRequest,
    )
    from pants.backend.python.util_rules.pex import Pex, PexRequest, VenvPex, VenvPexProcess
    from pants.backend.python.util_rules.pex_from_targets import PexFromTargetsRequest
    from pants.backend.python.util_rules.python_sources import (
        PythonSourceFiles,
        PythonSourceFilesRequest,
    )
    from pants.core.goals.test import TestResult
    from pants.core.util_rules.archive import CreateArchive
    from pants.core.util_rules.config_files import ConfigFiles, ConfigFilesRequest
    from pants.core.util_rules.source_files import SourceFiles, SourceFilesRequest
    from pants.core.util_rules.system_binaries import BinaryPathRequest, BinaryPaths
    from pants.engine.addresses import Addresses, UnparsedAddressInputs
    from pants.engine.env_vars import EnvironmentVars, EnvironmentVarsRequest
    from pants.engine.fs import (
        AddPrefix,
        CreateDigest,
        Digest,
        DigestContents,
        DigestSubset,
        MergeDigests,
        PathGlobs,
        Paths,
        RemovePrefix,
        Snapshot,
    )
    from pants.engine.process import FallibleProcessResult, Process, ProcessResult
    from pants.engine.rules import Get, MultiGet
    from pants.engine.rules import rule as _rule
    from pants.engine.target import (
        DependenciesRequest,
        ExplicitlyProvidedDependencies,
        Targets,
        TransitiveTargets,
        TransitiveTargetsRequest,
    )
    from pants.source.source_root import SourceRoot, SourceRootRequest

    def implicitly(*args: Any) -> dict[str, Any]:
        return {"__implicitly": args}

    def _by_name(out: type, in_: type) -> Any:
        # The rule visitor follows a call to any function annotated as returning an Awaitable,
        # and finds `out` and `in_` among the closure's variables.
        def call(*args: Any, **implicit: Any) -> Get:
            (value,) = args or implicit["__implicitly"]
            if not args and isinstance(value, dict):
                (value,) = value
            return Get(out, in_, value)

        return call

    def rule(*args: Any, polymorphic: bool = False, **kwargs: Any) -> Any:
        """Pants' own `@rule`, whose result can be called by name from other rules.

        A polymorphic rule stands for the rules of a union's members: it is called by name, and
        never runs itself.
        """

        def decorate(func: Callable[..., Any]) -> Any:
            if polymorphic:
                hints = get_type_hints(func)
                return _by_name(hints.pop("return"), next(iter(hints.values())))
            task = _rule(**kwargs)(func).rule
            call = _by_name(task.output_type, (*task.input_selectors, object)[0])
            call.rule = task  # all that collect_rules() looks for
            return call

        return decorate(args[0]) if args and inspect.isfunction(args[0]) else decorate

    concurrently = MultiGet
    add_prefix = _by_name(Digest, AddPrefix)
    create_archive = _by_name(Digest, CreateArchive)
    create_digest = _by_name(Digest, CreateDigest)
    create_pex = _by_name(Pex, PexRequest)
    create_pex_from_targets = _by_name(PexRequest, PexFromTargetsRequest)
    create_venv_pex = _by_name(VenvPex, PexRequest)
    determine_explicitly_provided_dependencies = _by_name(
        ExplicitlyProvidedDependencies, DependenciesRequest
    )
    determine_source_files = _by_name(SourceFiles, SourceFilesRequest)
    digest_subset_to_digest = _by_name(Digest, DigestSubset)
    digest_to_snapshot = _by_name(Snapshot, Digest)
    environment_vars_subset = _by_name(EnvironmentVars, EnvironmentVarsRequest)
    execute_process = _by_name(FallibleProcessResult, Process)
    execute_process_or_raise = _by_name(ProcessResult, Process)
    find_binary = _by_name(BinaryPaths, BinaryPathRequest)
    find_config_file = _by_name(ConfigFiles, ConfigFilesRequest)
    get_digest_contents = _by_name(DigestContents, Digest)
    get_source_root = _by_name(SourceRoot, SourceRootRequest)
    map_module_to_address = _by_name(PythonModuleOwners, PythonModuleOwnersRequest)
    merge_digests = _by_name(Digest, MergeDigests)
    path_globs_to_digest = _by_name(Digest, PathGlobs)
    path_globs_to_paths = _by_name(Paths, PathGlobs)
    prepare_python_sources = _by_name(PythonSourceFiles, PythonSourceFilesRequest)
    remove_prefix = _by_name(Digest, RemovePrefix)
    resolve_targets = _by_name(Targets, Addresses)
    resolve_unparsed_address_inputs = _by_name(Addresses, UnparsedAddressInputs)
    setup_venv_pex_process = _by_name(Process, VenvPexProcess)
    transitive_targets = _by_name(TransitiveTargets, TransitiveTargetsRequest)

    def test_result(process_result: Any, address: Any, output: Any, **fields: Any) -> TestResult:
        return TestResult.from_fallible_process_result(process_result, address, output, **fields)
