"""No pattern of the library takes long on a long text, whatever the text repeats.

A pattern that goes back and forth takes time with the square of a text's length, or worse; one
answer of a model that repeats itself would then hold up a study. Every pattern of every module is
tried as the module uses it, on texts of its own words and of what often makes patterns slow.
"""

import ast
import importlib
import random
import re
import time

import pytest

from inbol_lib.paths import ROOT

LENGTH = 100_000  # bytes
SECONDS = 0.05
#: characters of a pattern that have this time: one joins all wordings of inability, four times that
LONG = 10_000
WORDS = 10  # of a pattern's own that are tried
USES = {"match", "fullmatch", "search", "sub", "subn", "finditer", "findall", "split"}
MARKS = (
    *("a", "a ", "A", "1", "0.", "1,", "é", "　", " ", "\n", "\t", "_", "*", "#", "-", ".", ","),
    *("?", "!", ":", ";", "'", '"', "\\", '\\"', "\\'", "|", "/", "//", "@", "(", ")", "[", "]"),
    *("{", "}", "<", ">", "$", "=", "\x1b[", "<|", "(a", "[a", "{a", "<a", "a.b", "a: "),
)


def modules():
    """Yield (source, module) of the whole library."""
    for file in sorted((ROOT / "inbol_lib").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__main__":
            name = ".".join(parts).removesuffix(".__init__")
            yield file.read_text(), importlib.import_module(name)


def held(value, depth=3):
    """Yield the patterns in a value, or in what it holds."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict) and depth:
        yield from held([*value.values()], depth)
    elif isinstance(value, list | tuple | set | frozenset) and depth:
        for one in value:
            yield from held(one, depth - 1)


def used(source, module):
    """Yield (pattern, use) of the calls whose pattern can be known without running them."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") in USES):
            continue
        owner, use = node.func.value, node.func.attr
        of_re = isinstance(owner, ast.Name) and owner.id == "re"
        expression = node.args[0] if of_re and node.args else owner
        flags = [word.value for word in node.keywords if word.arg == "flags"]
        flags += [one for one in node.args[2:] if of_re and ast.unparse(one).startswith("re.")]
        flags = [known(flag, module) or 0 for flag in flags[:1]]
        if isinstance(found := known(expression, module), str) and of_re:
            yield re.compile(found, *flags), use
        elif isinstance(found, re.Pattern):
            yield found, use


def known(expression, module):
    """The value of an expression of a module's own names; None where it has others."""
    match expression:
        case ast.Constant():
            return expression.value
        case ast.FormattedValue():
            return known(expression.value, module)
        case ast.Name():
            return vars(module).get(expression.id)
        case ast.Attribute():
            return getattr(known(expression.value, module), expression.attr, None)
        case ast.BinOp(op=ast.BitOr()):
            return known(expression.left, module) | known(expression.right, module)
        case ast.JoinedStr():
            parts = [known(part, module) for part in expression.values]
            return None if None in parts else "".join(map(str, parts))
    return None


def patterns():
    """(pattern, use) -> the module that has it; a pattern in a list is searched for everywhere."""
    found = {}
    for source, module in modules():
        for pattern, use in used(source, module):
            found.setdefault((pattern, use), module.__name__)
    seen = {pattern for pattern, _ in found}
    for _, module in modules():
        for pattern in held([*vars(module).values()]):
            if pattern not in seen and isinstance(pattern.pattern, str):
                found.setdefault((pattern, "finditer"), module.__name__)
    return found


FOUND = patterns()


def texts(pattern):
    """Texts of one mark or word, again and again, with an end that fits nothing."""
    words = sorted(set(re.findall(r"[A-Za-z']{2,20}", pattern.pattern)))
    drawn = random.Random(0).sample(words, min(WORDS, len(words)))
    for token in (*MARKS, *(f"{word} " for word in drawn)):
        yield token * (LENGTH // len(token.encode())) + "\x00"


def seconds(pattern, use, text):
    """The processor's time for one use."""
    begun = time.process_time()
    if use in ("sub", "subn"):
        pattern.sub("", text)
    elif use == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, use)(text)
    return time.process_time() - begun


def slow(pattern, use):
    """A text that takes a pattern too long, with its time; a close one has three more tries."""
    most = SECONDS * max(1, len(pattern.pattern) / LONG)
    for text in texts(pattern):
        taken = seconds(pattern, use, text)
        if most < taken < 10 * most:
            taken = min(seconds(pattern, use, text) for _ in range(3))
        if taken > most:
            return {text[:20]: round(taken, 3)}
    return {}


@pytest.mark.parametrize("module", sorted(set(FOUND.values())))
def test_no_pattern_takes_long_on_a_hundred_thousand_characters(module):
    mine = [key for key, name in FOUND.items() if name == module]
    wrong = {f"{use} {pattern.pattern[:80]}": slow(pattern, use) for pattern, use in mine}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_patterns_are_found_wherever_they_stand():
    uses = {use for _, use in FOUND}
    assert len(FOUND) > 200
    assert {"match", "fullmatch", "search", "sub", "finditer"} <= uses
    held_in = set(FOUND.values())
    assert {"inbol_lib.judging.refusals", "inbol_lib.boundary.generated_text"} <= held_in


@pytest.mark.parametrize(
    ("slow_one", "length"), [(r"(a|a)*b", 20), (r"a*a*b", 1000), (r'"(?:[^"\\]|\\.)*"', 20_000)]
)
def test_a_slow_pattern_is_found(slow_one, length, monkeypatch):
    monkeypatch.setitem(globals(), "LENGTH", length)
    assert slow(re.compile(slow_one), "finditer")
