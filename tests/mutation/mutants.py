"""All mutants of a module: its source with one thing changed."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from os.path import commonprefix

import attrs

from tests.mutation.operators import alternatives

_LONGEST = 60
_CONTEXT = 12


@attrs.frozen
class Mutant:
    """One change.

    Attributes:
        name: Where and what, such as ``Choice.told: `+` -> `-```; the same after lines have moved,
            and one of its kind in its module.
        source: The whole module with that change.
    """

    name: str
    source: str = attrs.field(repr=False)


@attrs.frozen
class _Place:
    """A node that stands in a field of its parent, and how to put another there."""

    where: str
    node: ast.AST
    put: Callable[[ast.AST], None]


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for place in list(_places(tree, "")):
        for other in alternatives(place.node):
            name = f"{place.where or 'module'}: {_change(place.node, other)}"
            seen[name] += 1
            if seen[name] > 1:
                name = f"{name} ({seen[name]})"
            place.put(other)
            yield Mutant(name, ast.unparse(ast.fix_missing_locations(tree)))
        place.put(place.node)


def _change(node: ast.AST, other: ast.AST) -> str:
    """A change on one line; of a long text the part from a little before what is new."""
    before, after = (" ".join(ast.unparse(each).split()) for each in (node, other))
    is_long = len(before) > _LONGEST
    same = len(commonprefix([before, after])) if is_long else 0  # noqa: RUF071  # of characters
    start = max(0, same - _CONTEXT)
    before, after = (each[start:].strip()[:_LONGEST] for each in (before, after))
    return f"`{before}` -> `{after}`"


def _places(parent: ast.AST, where: str) -> Iterator[_Place]:
    if isinstance(parent, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        where = f"{where}.{parent.name}" if where else parent.name
    for field, value in ast.iter_fields(parent):
        if isinstance(value, list):
            for place, child in enumerate(value):
                if isinstance(child, ast.AST) and not _is_left(parent, field, child):
                    yield _Place(where, child, _into_list(value, place))
                    yield from _places(child, where)
        elif isinstance(value, ast.AST) and not _is_left(parent, field, value):
            yield _Place(where, value, _into_field(parent, field))
            yield from _places(value, where)


def _into_list(siblings: list[ast.AST], place: int) -> Callable[[ast.AST], None]:
    def put(node: ast.AST) -> None:
        siblings[place] = node

    return put


def _into_field(parent: ast.AST, field: str) -> Callable[[ast.AST], None]:
    def put(node: ast.AST) -> None:
        setattr(parent, field, node)

    return put


def _is_left(parent: ast.AST, field: str, child: ast.AST) -> bool:
    """Whether a node is left as it is, with everything in it."""
    if field in {"annotation", "returns"} or isinstance(child, ast.Import | ast.ImportFrom):
        return True
    if isinstance(child, ast.Constant):  # docstrings, and what stands between the braces
        return isinstance(parent, ast.Expr | ast.JoinedStr)
    if isinstance(parent, ast.Subscript):  # the parameters of a generic type
        return field == "slice" and isinstance(child, ast.Tuple)
    return isinstance(parent, ast.FormattedValue) and field == "format_spec"
