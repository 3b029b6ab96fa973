"""Write docs/api.md, every public name of the package, from its docstrings. Run it with `make api`."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
PACKAGE = "socketio_cluster"
HEAD = """\
# API

Every public name of `socketio_cluster` and `socketio_cluster.testing`, with what its docstring says.
`make api` writes this page.

What is inherited from python-socketio is in [its documentation](https://python-socketio.readthedocs.io/).
"""
SECTION = re.compile(r"^(Args|Raises|Returns):$")
ENTRY = re.compile(r"^    ([\w, *]+): (.*)$")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Member(NamedTuple):
    """A method, property or field of a class."""

    name: str
    signature: str
    text: str


def page() -> str:
    """Return the whole page."""
    sys.path.insert(0, str(ROOT))
    package = __import__(PACKAGE)
    public = [getattr(package, name) for name in package.__all__]
    testing = __import__(f"{PACKAGE}.testing", fromlist=["*"])
    public += [getattr(testing, name) for name in testing.__all__]
    shared = shared_bases(public)
    parts = [HEAD, "\n".join(map(_contents, public))]
    parts += [_class(one, shared) for one in public]
    parts += ["## What several of them have", *(_class(one, shared) for one in shared)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def shared_bases(public: Iterable[type]) -> list[type]:
    """Return the bases, none of them public, from which more than one public class has its methods."""
    users: dict[type, set[type]] = {}
    for one in public:
        for base in _own(one):
            users.setdefault(base, set()).add(one)
    listed = set(public)
    bases = [base for base, ones in users.items() if len(ones) > 1 and base not in listed and members(base)]
    return sorted(bases, key=lambda base: base.__name__)


def members(kind: type) -> list[Member]:
    """Return what a class itself defines and documents."""
    if not kind.__module__.startswith(PACKAGE):
        return []
    body = _tree(kind).body
    found = [*_fields(body), *_methods(body)]
    for function in body:
        if isinstance(function, Function) and function.name == "__init__":
            found += _fields(function.body)
    return [member for member in found if not member.name.startswith("_")]


def _own(kind: type) -> list[type]:
    """The class and its bases of this package."""
    return [base for base in kind.__mro__ if base.__module__.startswith(PACKAGE)]


def _tree(kind: type) -> ast.ClassDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    return tree


def _fields(body: list[ast.stmt]) -> Iterator[Member]:
    """Fields and attributes that have a docstring behind them."""
    for field, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        target = field.targets[0] if isinstance(field, ast.Assign) else getattr(field, "target", None)
        documented = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if target is None or not documented or not isinstance(field, ast.Assign | ast.AnnAssign):
            continue
        name = target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)
        kind = f": {ast.unparse(field.annotation)}" if isinstance(field, ast.AnnAssign) else ""
        inside = isinstance(target, ast.Attribute) or field.value is None
        yield Member(
            name,
            f"{name}{kind}" if inside else f"{name}{kind} = {ast.unparse(field.value)}",
            str(after.value.value),  # type: ignore[attr-defined]
        )


def _methods(body: list[ast.stmt]) -> Iterator[Member]:
    for function in body:
        text = ast.get_docstring(function) if isinstance(function, Function) else None
        if text is not None and isinstance(function, Function):
            yield Member(function.name, _signature(function, function.name), text)


def _signature(function: Function, name: str) -> str:
    decorators = [ast.unparse(one) for one in function.decorator_list]
    arguments = function.args
    if "staticmethod" not in decorators:
        (arguments.posonlyargs or arguments.args).pop(0)
    returns = f" -> {ast.unparse(function.returns)}" if function.returns and name == function.name else ""
    if "property" in decorators:
        return f"{name}{returns.replace(' -> ', ': ')}"
    kind = "async " if isinstance(function, ast.AsyncFunctionDef) else ""
    # ``ast.unparse`` puts no spaces around the "=" of an argument with a type.
    listed = [
        one.replace("=", " = ", 1) if ": " in one else one for one in _split(ast.unparse(arguments)) if one
    ]
    return f"{kind}{name}({', '.join(listed)}){returns}"


def _contents(kind: type) -> str:
    first = (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")
    return f"* [`{kind.__name__}`](#{kind.__name__.lower()}): {_inline(first)}"


def _class(kind: type, shared: list[type]) -> str:
    """One class: its constructor, what it says, what it has itself, and from whom it has the rest."""
    parts = [f"## {kind.__name__}", _code(_constructor(kind)), _markdown(inspect.getdoc(kind) or "")]
    others = [base for base in _own(kind)[1:] if base in shared or base.__name__ in _exported()]
    if others:
        links = ", ".join(f"[{base.__name__}](#{base.__name__.lower()})" for base in others)
        parts.append(f"It has the methods of {links} too.")
    seen: set[str] = set()
    for base in [kind, *(base for base in _own(kind)[1:] if base not in others)]:
        for member in members(base):
            if member.name not in seen:
                seen.add(member.name)
                parts += [
                    f"### {kind.__name__}.{member.name}",
                    _code(member.signature),
                    _markdown(member.text),
                ]
    return "\n\n".join(parts)


def _exported() -> list[str]:
    return [*sys.modules[PACKAGE].__all__, *sys.modules[f"{PACKAGE}.testing"].__all__]


def _constructor(kind: type) -> str:
    for base in _own(kind):
        for function in _tree(base).body:
            if isinstance(function, ast.FunctionDef) and function.name == "__init__":
                return f"class {_signature(function, kind.__name__)}"
    fields = [one for one in _tree(kind).body if isinstance(one, ast.AnnAssign)]
    arguments = ", ".join(ast.unparse(one) for one in fields if not ast.unparse(one.target).startswith("_"))
    return f"class {kind.__name__}({arguments})" if arguments else f"class {kind.__name__}"


def _code(signature: str) -> str:
    """A signature as a block of code, of several lines where it is long."""
    if len(signature) > 100 and "(" in signature:
        head, _, rest = signature.partition("(")
        inner, _, tail = rest.rpartition(")")
        signature = f"{head}(\n" + "".join(f"    {one},\n" for one in _split(inner)) + f"){tail}"
    return f"```python\n{signature}\n```"


def _split(arguments: str) -> list[str]:
    """The arguments of a signature: a comma within brackets parts none."""
    parts, depth = [""], 0
    for letter in arguments:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _markdown(text: str) -> str:
    """A docstring: its sections become lists."""
    lines = []
    section = ""
    for line in inspect.cleandoc(text).splitlines():
        if match := SECTION.match(line):
            section = match[1]
            lines += [f"{section}:", ""]
        elif section and (match := ENTRY.match(line)):
            lines.append(f"* `{match[1]}`: {match[2]}")
        else:
            section = section if line.startswith("    ") or not line else ""
            lines.append(("  " + line.strip() if line.strip() else "") if section else line)
    return _inline("\n".join(lines))


def _inline(text: str) -> str:
    return text.replace("``", "`")


def main() -> Any:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
