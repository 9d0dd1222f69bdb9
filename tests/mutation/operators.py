"""What may be changed in one place of a module, each so that a good test fails.

Left as they are: annotations, docstrings, imports, literal parts of f-strings, and texts with
blanks between words, which people read and no promise is made about.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import singledispatch
from typing import TypeVar

Item = TypeVar("Item")

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
OPPOSITES = {"any": "all", "all": "any", "min": "max", "max": "min"}
_PROSE = re.compile(r"\w\W* \W*\w")


@singledispatch
def alternatives(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in the place of a node."""
    del node
    yield from ()


@alternatives.register
def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            operators = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield ast.Compare(node.left, operators, node.comparators)


@alternatives.register
def _and_or(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


@alternatives.register
def _not(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not):
        yield node.operand


@alternatives.register
def _arithmetic(node: ast.BinOp) -> Iterator[ast.AST]:
    if other := ARITHMETIC.get(type(node.op)):
        yield ast.BinOp(node.left, other(), node.right)


@alternatives.register
def _in_place(node: ast.AugAssign) -> Iterator[ast.AST]:
    if other := ARITHMETIC.get(type(node.op)):
        yield ast.AugAssign(node.target, other(), node.value)


@alternatives.register
def _literal(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and not _PROSE.search(value):
        yield ast.Constant(value + "X")
    elif isinstance(value, bytes):
        yield ast.Constant(value + b"X")


def _is_plain(test: ast.expr) -> bool:
    """Whether no other operator would turn this condition round."""
    return not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant)


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


@alternatives.register
def _condition(node: ast.If | ast.While | ast.IfExp) -> Iterator[ast.AST]:
    if _is_plain(node.test):
        yield type(node)(_negated(node.test), node.body, node.orelse)  # type: ignore[arg-type]


@alternatives.register
def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    for place, test in enumerate(node.ifs):
        if _is_plain(test):
            tests = [*node.ifs[:place], _negated(test), *node.ifs[place + 1 :]]
            yield ast.comprehension(node.target, node.iter, tests, node.is_async)


@alternatives.register
def _call(node: ast.Call) -> Iterator[ast.AST]:
    for place in range(len(node.keywords)):
        yield ast.Call(node.func, node.args, _without(node.keywords, place))
    for place, (one, other) in enumerate(zip(node.args, node.args[1:], strict=False)):
        if ast.dump(one) != ast.dump(other):
            arguments = [*node.args[:place], other, one, *node.args[place + 2 :]]
            yield ast.Call(node.func, arguments, node.keywords)
    if isinstance(node.func, ast.Name) and node.func.id in OPPOSITES:
        yield ast.Call(ast.Name(OPPOSITES[node.func.id], ast.Load()), node.args, node.keywords)


@alternatives.register
def _statement(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call | ast.Await):
        yield ast.Pass()


@alternatives.register
def _raise(node: ast.Raise) -> Iterator[ast.AST]:
    del node
    yield ast.Pass()


@alternatives.register
def _assign(node: ast.Assign) -> Iterator[ast.AST]:
    if isinstance(node.targets[0], ast.Attribute | ast.Subscript):
        yield ast.Pass()


@alternatives.register
def _return(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.Constant(None))


@alternatives.register
def _break(node: ast.Break) -> Iterator[ast.AST]:
    del node
    yield ast.Continue()


@alternatives.register
def _continue(node: ast.Continue) -> Iterator[ast.AST]:
    del node
    yield ast.Break()


@alternatives.register
def _sequence(node: ast.Tuple | ast.List) -> Iterator[ast.AST]:
    if isinstance(node.ctx, ast.Load):  # else names that are assigned to
        for place in range(len(node.elts)):
            yield type(node)(_without(node.elts, place), node.ctx)


@alternatives.register
def _set(node: ast.Set) -> Iterator[ast.AST]:
    if len(node.elts) > 1:  # there is no way to write the empty one
        for place in range(len(node.elts)):
            yield ast.Set(_without(node.elts, place))


@alternatives.register
def _dict(node: ast.Dict) -> Iterator[ast.AST]:
    for place in range(len(node.keys)):
        yield ast.Dict(_without(node.keys, place), _without(node.values, place))


def _without(items: list[Item], place: int) -> list[Item]:
    return [*items[:place], *items[place + 1 :]]
