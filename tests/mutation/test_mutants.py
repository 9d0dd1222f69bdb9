from __future__ import annotations

import inspect
import textwrap

import pytest

from tests.mutation.mutants import Mutant, mutants


def _all(source: str) -> list[Mutant]:
    return list(mutants(textwrap.dedent(source)))


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("a < b", ["`a < b` -> `a <= b`", "`a < b` -> `a >= b`"]),
        ("a is not b", ["`a is not b` -> `a is b`"]),
        ("a and b", ["`a and b` -> `a or b`"]),
        ("not a", ["`not a` -> `a`"]),
        ("a + b", ["`a + b` -> `a - b`"]),
        ("a += b", ["`a += b` -> `a -= b`"]),
        ("True", []),  # like a docstring, it stands there for nobody
        ("a = True", ["`True` -> `False`"]),
        ("a = 1", ["`1` -> `2`"]),
        ("a = 'key'", ["`'key'` -> `'keyX'`"]),
        ("a = 'no such key'", []),
        ("a = f'x{b}'", []),
        ("a: int | None = b", []),
        ("from a import b", []),
        ("if a: b()", ["`if a: b()` -> `if not a: b()`", "`b()` -> `pass`"]),
        ("while a: break", ["`while a: break` -> `while not a: break`", "`break` -> `continue`"]),
        ("a = b if c else d", ["`b if c else d` -> `b if not c else d`"]),
        ("a = [b for b in c if d]", ["`for b in c if d` -> `for b in c if not d`"]),
        ("a = b(c, d)", ["`b(c, d)` -> `b(d, c)`"]),
        ("a = b(c=d)", ["`b(c=d)` -> `b()`"]),
        ("a = any(b)", ["`any(b)` -> `all(b)`"]),
        ("raise a", ["`raise a` -> `pass`"]),
        ("a.b = c", ["`a.b = c` -> `pass`"]),
        ("a = b, c", ["`(b, c)` -> `(c,)`", "`(b, c)` -> `(b,)`"]),
        ("a = {b, c}", ["`{b, c}` -> `{c}`", "`{b, c}` -> `{b}`"]),
        ("a = {b: c}", ["`{b: c}` -> `{}`"]),
    ],
)
def test_each_kind_of_change(source: str, changes: list[str]) -> None:
    """A module is changed in these ways, and its prose and its annotations are left alone."""
    names = [mutant.name for mutant in _all(source)]

    assert names == [f"module: {change}" for change in changes]


def test_a_mutant_is_the_module_with_one_change() -> None:
    """Whatever was changed before is as it was."""
    first, second, third = _all("a = 1\nb = 2\nc = 3\n")

    assert first.source == "a = 2\nb = 2\nc = 3"
    assert second.source == "a = 1\nb = 3\nc = 3"
    assert third.source == "a = 1\nb = 2\nc = 4"


def test_a_name_says_where_and_is_one_of_its_kind() -> None:
    """Mutants are told apart by class, function, change and, where all are the same, a number."""
    source = '''
        class Greeting:
            """Says something."""

            async def words(self) -> list[str]:
                """Say it twice."""
                return f("hello"), f("hello")
        '''

    assert [mutant.name for mutant in _all(source)] == [
        """Greeting.words: `return (f('hello'), f('hello'))` -> `return None`""",
        """Greeting.words: `(f('hello'), f('hello'))` -> `(f('hello'),)`""",
        """Greeting.words: `(f('hello'), f('hello'))` -> `(f('hello'),)` (2)""",
        """Greeting.words: `'hello'` -> `'helloX'`""",
        """Greeting.words: `'hello'` -> `'helloX'` (2)""",
    ]


def test_a_long_change_is_named_by_what_is_new() -> None:
    """Of a long expression the name leaves out the beginning, which did not change."""
    (name,) = {m.name for m in _all(f"a = {'b' * 70}(c, d=e)") if "d=e" in m.name}

    assert name == "module: `bbbbbbbbbb(c, d=e)` -> `bbbbbbbbbb(c)`"


def test_every_mutant_of_a_real_module_can_be_compiled() -> None:
    """A mutant that is no Python would be killed by anything, and prove nothing."""
    every = _all(inspect.getsource(textwrap))

    assert len(every) > 100
    for mutant in every:
        compile(mutant.source, "mutant", "exec")
    assert len({mutant.name for mutant in every}) == len(every)
