"""Where things stand in the user's source: file, line, and the annotation as it is written."""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
import tokenize
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from synapse_bridge.introspect.refusal import Place

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def function_place(function: Callable[..., Any], name: str) -> Place:
    """The ``def`` line of a function."""
    if (given := _given(function, "")) is not None:
        return given
    node, file = _function(function)
    return Place(
        display(file), node.lineno if node else _first_line(function), f"function `{name}`"
    )


def parameter_place(function: Callable[..., Any], name: str, parameter: str) -> Place:
    """The line and annotation of one parameter."""
    if (given := _given(function, parameter)) is not None:
        return given
    node, file = _function(function)
    subject = f"parameter `{parameter}` of `{name}`"
    if node is None:
        return Place(display(file), _first_line(function), subject)
    for argument in _arguments(node):
        if argument.arg == parameter:
            return Place(
                display(file), argument.lineno, subject, _written(argument.annotation, file)
            )
    return Place(display(file), node.lineno, subject)


def result_place(function: Callable[..., Any], name: str) -> Place:
    """The line and text of a function's return annotation."""
    if (given := _given(function, "")) is not None:
        return given
    node, file = _function(function)
    subject = f"result of `{name}`"
    if node is None:
        return Place(display(file), _first_line(function), subject)
    line = node.returns.lineno if node.returns else node.lineno
    return Place(display(file), line, subject, _written(node.returns, file))


def class_place(cls: type, kind: str = "class") -> Place:
    """The ``class`` line of a class."""
    if (given := _given(cls, "")) is not None:
        return given
    node, file = _class(cls)
    return Place(display(file), node.lineno if node else 0, f"{kind} `{cls.__qualname__}`")


def field_place(cls: type, name: str) -> Place:
    """The line and annotation of a field, in the class of the hierarchy that declares it last."""
    if (given := _given(cls, name)) is not None:
        return given
    subject = f"field `{cls.__qualname__}.{name}`"
    for owner in cls.__mro__:
        node, file = _class(owner)
        for statement in node.body if node else ():
            match statement:
                case ast.AnnAssign(target=ast.Name(id=target), annotation=annotation):
                    if target == name:
                        written = _written(annotation, file)
                        return Place(display(file), statement.lineno, subject, written)
                case ast.Assign(targets=[ast.Name(id=target)]) if target == name:
                    return Place(display(file), statement.lineno, subject)
    at = class_place(cls)
    return Place(at.file, at.line, subject)


def annotated_fields(cls: type) -> list[str]:
    """The names that a class and its bases annotate, as far as their source is at hand."""
    return [
        statement.target.id
        for owner in reversed(cls.__mro__)
        for statement in getattr(_class(owner)[0], "body", ())
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    ]


def member_docs(cls: type) -> dict[str, str]:
    """The string that follows an assignment in a class body, by the assigned name."""
    node, _ = _class(cls)
    docs = {}
    body = node.body if node else []
    for statement, following in itertools.pairwise(body):
        match statement, following:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                docs[name] = inspect.cleandoc(text)
    return docs


def assigned_attributes(cls: type, method: str) -> Iterator[str]:
    """The attributes of ``self`` that a method of the class itself assigns."""
    node, _ = _class(cls)
    for statement in node.body if node else ():
        if isinstance(statement, _Function) and statement.name == method:
            me = next(iter(argument.arg for argument in _arguments(statement)), "self")
            for inner in ast.walk(statement):
                match inner:
                    case ast.Attribute(ast.Name(id=name), attribute, ast.Store()) if name == me:
                        yield attribute


def location(function: Callable[..., Any], module: str) -> str:
    """``shop/pricing.py:12``: relative to where ``module`` is imported from, so that it is the
    same on every machine."""
    if (known := getattr(function, "__synapse_given__", None)) is not None:
        return f"{_relative(known[''].file, module)}:{known[''].line}"
    node, file = _function(function)
    line = node.lineno if node else _first_line(function)
    if file is None:
        return ""
    return f"{_relative(file, module)}:{line}"


def display(file: str | None) -> str:
    """A path as a person wants it: relative to the working directory where it lies below it."""
    if file is None:
        return "<unknown source>"
    path = Path(file)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def unwrap(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that the user wrote, under its decorators and binding."""
    inner: Callable[..., Any] = inspect.unwrap(getattr(function, "__func__", function))
    return inner


def _given(made: Any, part: str) -> Place | None:
    """Where a function or class that was made at run time comes from; it says so itself.

    ``part`` is a parameter or field, or empty for the whole.
    """
    known = getattr(made, "__synapse_given__", None)
    if known is None:
        return None
    found = known.get(part) or known[""]
    return Place(display(found.file), found.line, found.subject, found.written, found.otherwise)


def _relative(file: str, module: str) -> str:
    """``file`` from the folder that holds the module's top-level package."""
    path = Path(file)
    top = sys.modules.get(module.partition(".")[0])
    origin = getattr(top, "__file__", None)
    if origin is not None:
        base = Path(origin).parent
        root = base.parent if Path(origin).stem == "__init__" else base
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return path.name


def _first_line(function: Callable[..., Any]) -> int:
    code = getattr(unwrap(function), "__code__", None)
    return code.co_firstlineno if code is not None else 0


def _function(function: Callable[..., Any]) -> tuple[_Function | None, str | None]:
    function = unwrap(function)
    code = getattr(function, "__code__", None)
    if code is None:
        return None, None
    node = _functions(code.co_filename).get((code.co_name, code.co_firstlineno))
    return node, code.co_filename


def _class(cls: type) -> tuple[ast.ClassDef | None, str | None]:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if file is None:
        return None, None
    path = [part for part in cls.__qualname__.split(".") if part != "<locals>"]
    return _classes(file).get(tuple(path)), file


@cache
def _classes(file: str) -> dict[tuple[str, ...], ast.ClassDef]:
    """Every class of a file by its qualified name; the last definition counts, as in Python."""
    found: dict[tuple[str, ...], ast.ClassDef] = {}

    def visit(node: ast.AST, path: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            inner = path
            if isinstance(child, ast.ClassDef | _Function):
                inner = (*path, child.name)
            if isinstance(child, ast.ClassDef):
                found[inner] = child
            visit(child, inner)

    visit(_tree(file), ())
    return found


@cache
def _functions(file: str) -> dict[tuple[str, int], _Function]:
    """Every function of a file by its name and first line, which is that of its decorators."""
    return {
        (node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])): node
        for node in ast.walk(_tree(file))
        if isinstance(node, _Function)
    }


@cache
def _tree(file: str) -> ast.Module:
    try:
        return ast.parse(_text(file))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


@cache
def _text(file: str) -> str:
    try:
        with tokenize.open(file) as source:
            return source.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""  # no source at hand (a compiled or generated module)


@cache
def _lines(file: str) -> list[bytes]:
    return _text(file).encode().split(b"\n")


def _segment(file: str, node: ast.expr) -> str:
    """``ast.get_source_segment``, which goes through the whole file each time."""
    lines = _lines(file)[node.lineno - 1 : node.end_lineno]
    if not lines:
        return ""
    lines[-1] = lines[-1][: node.end_col_offset]
    lines[0] = lines[0][node.col_offset :]
    return b"\n".join(lines).decode()


def _arguments(node: _Function) -> Iterator[ast.arg]:
    arguments = node.args
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (argument for argument in (arguments.vararg, arguments.kwarg) if argument)


def _written(annotation: ast.expr | None, file: str | None) -> str:
    """The annotation as it stands in the source, on one line."""
    match annotation:
        case None:
            return ""
        case ast.Constant(value=str(text)):
            return text
        case _ if file is not None:
            return " ".join((_segment(file, annotation) or ast.unparse(annotation)).split())
        case _:
            return ast.unparse(annotation)


def docstring(function: Callable[..., Any]) -> str:
    """A function's docstring, without indentation; a method may have that of a base class."""
    return _encodable(inspect.getdoc(function) or "")


def clean(doc: object) -> str:
    """A text from the source, without indentation and outer blank lines; of what is none, none.

    A description that ends in a comma by mistake is a tuple.
    """
    return _encodable(inspect.cleandoc(doc)) if isinstance(doc, str) else ""


def _encodable(text: str) -> str:
    """Text that UTF-8 can hold: a lone surrogate becomes its escape sequence."""
    return text.strip().encode("utf-8", "backslashreplace").decode("utf-8")
