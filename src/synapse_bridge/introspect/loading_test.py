"""What goes wrong when the user's module is imported is told in terms of the user's code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from synapse_bridge.introspect import IntrospectionError
from synapse_bridge.introspect.conftest import Write
from synapse_bridge.introspect.loading import load


def failure(target: str) -> str:
    with pytest.raises(IntrospectionError) as caught:
        load(target)
    return str(caught.value)


def test_a_module_an_object_and_an_object_of_an_object(write: Write) -> None:
    name = write("""
        class A:
            class B:
                c = 3
    """)
    module = sys.modules.get(name)
    assert module is None
    assert load(name)[1:] == ("", sys.modules[name])
    assert load(f"{name}:A.B.c")[1:] == ("A.B.c", 3)


def test_a_missing_module_comes_with_the_nearest(write: Write, tmp_path: Path) -> None:
    (tmp_path / "pricing_module.py").touch()
    assert failure("pricing_modul") == (
        "there is no module `pricing_modul`\n  → did you mean `pricing_module`?"
    )


def test_a_missing_submodule_comes_with_the_nearest(write: Write, tmp_path: Path) -> None:
    package = tmp_path / "some_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "orders.py").touch()
    assert failure("some_package.order") == (
        "there is no module `some_package.order`\n  → did you mean `some_package.orders`?"
    )
    assert "is a module, not a package" in failure("some_package.orders.x")


def test_a_missing_module_without_a_near_one_says_where_was_looked(
    write: Write, tmp_path: Path
) -> None:
    assert "looked in: " in failure("qqqqqqqqqqqqqqqq")


@pytest.mark.parametrize("target", ["", "a-b", "a..b", "a b", "path/to/module.py", ".a"])
def test_what_is_no_module_name(target: str) -> None:
    assert "is not the name of a module" in failure(target)


def test_an_error_in_the_module_shows_its_own_frames_only(write: Write) -> None:
    inner = write("""
        def check():
            raise ValueError("no licence")
        try:
            check()
        except ValueError as error:
            raise RuntimeError("cannot start") from error
    """)
    outer = write(f"import {inner}\n")
    text = failure(outer)
    assert f"importing `{outer}` failed" in text
    assert "RuntimeError: cannot start" in text
    assert "ValueError: no licence" in text
    assert f'{outer}.py", line 1' in text
    assert f'{inner}.py", line 7' in text
    assert "importlib" not in text
    assert "introspect" not in text.partition("→")[0]


def test_a_missing_import_of_the_module_is_no_missing_module(write: Write) -> None:
    name = write("import nothing_of_this_name\n")
    text = failure(name)
    assert f'{name}.py", line 1' in text
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in text


def test_a_syntax_error(write: Write) -> None:
    name = write("def f(:\n")
    text = failure(name)
    assert f'{name}.py", line 1' in text
    assert "SyntaxError" in text


def test_a_module_that_exits(write: Write) -> None:
    text = failure(write("import sys\nsys.exit('bye')\n"))
    assert "SystemExit: bye" in text
    assert '__name__ == "__main__"' in text


def test_what_a_module_prints_stays_out_of_the_output(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    load(write("print('hello from the module')\n"))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello from the module\n")
