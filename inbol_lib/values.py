"""How parameters are written as text, in profiles and on command lines: YAML, read without traps.

Plain YAML reads 010 as 8, 5e-05 as a text, "1:30" as 90, and drops what follows " #". Here numbers
are decimal, exponents make numbers, and what could be read in two ways is refused.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from inbol_lib.errors import ParameterError

DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan")
#: A number that plain YAML takes for a text: 5e-7.
EXPONENT = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+")


class _Loader(yaml.SafeLoader):
    """YAML with decimal numbers alone, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping; raises ParameterError for a key that stands there twice."""
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [name for place, name in enumerate(names) if name in names[:place]]
        if twice:
            raise ParameterError(f"{twice[0]}: given twice")
        return super().construct_mapping(node, deep)


def _zero_led(loader: _Loader, node: yaml.Node) -> Any:
    raise ParameterError(
        f"{node.value!s:.50}: some programs read a number with a leading zero as octal; leave the "
        "zero out, or put the text in quotes"
    )


_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] not in _NUMBERS]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for tag, pattern in (("!zero", LEADING_ZERO), (_NUMBERS[0], DECIMAL), (_NUMBERS[1], FLOAT)):
    whole = re.compile(rf"^(?:{pattern.pattern})$")
    _Loader.add_implicit_resolver(tag, whole, list("-+.0123456789"))
_Loader.add_constructor("!zero", _zero_led)
_Loader.add_constructor(_NUMBERS[1], lambda loader, node: as_float(node.value))


class _Dumper(yaml.SafeDumper):
    """Puts texts in quotes that YAML or this module would read as something else ("0E0", "08")."""


_Dumper.yaml_implicit_resolvers = {
    first: [*yaml.SafeDumper.yaml_implicit_resolvers.get(first, []), *rules]
    for first, rules in _Loader.yaml_implicit_resolvers.items()
}


def as_float(text: str) -> float:
    """Return the number that a text writes, in YAML's spelling of infinity as well."""
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


def _loaded(text: str) -> Any:
    """Return the value that YAML describes.

    Raises
    ------
    ParameterError
        For a key that stands there twice, or a number with a leading zero.
    yaml.YAMLError
        For anything else that can not be read.
    """
    try:
        return yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except ParameterError:
        raise
    except RecursionError:
        raise yaml.YAMLError("too many brackets are open at a time") from None
    except ValueError as error:  # of a date, or of more digits than Python reads
        raise yaml.YAMLError(str(error)) from None
    except (LookupError, AttributeError, TypeError):  # PyYAML's own, of a tag such as !!bool
        raise yaml.YAMLError("a tag or a date stands before something else") from None


def read_value(text: str) -> Any:
    """Return the value of a parameter as a command line gives it.

    A text needs no quotation marks, whatever stands in it.

    Raises
    ------
    ParameterError
        If it is no YAML, or a number with a leading zero.
    """
    try:
        value = _loaded(text)
    except yaml.YAMLError as error:
        raise ParameterError(f"{text!r:.300} is no value: {_reason(error)}") from None
    plain = isinstance(value, str) and not text.lstrip().startswith(("'", '"'))
    return text.strip() if plain else value


def read_profile(path: Path) -> dict[str, Any]:
    """Return the values of a YAML file.

    Raises
    ------
    ParameterError
        If it is no UTF-8, no YAML, or anything else than one mapping; in one line.
    """
    try:
        values = _loaded(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParameterError(f"{path} is no UTF-8 (byte {error.start + 1})") from None
    except yaml.YAMLError as error:
        raise ParameterError(f"{path} is no YAML: {_reason(error)}") from None
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from None
    if not isinstance(values, dict):
        found = "is empty" if values is None else f"holds a {type(values).__name__}"
        raise ParameterError(f"{path} {found}; a profile is lines of `parameter: value`")
    return {str(name): value for name, value in values.items()}


def written(value: Any) -> str:
    """Return a value as text that `read_value`, and plain YAML, read as the same value."""
    how = {"default_flow_style": True, "width": 10**6, "allow_unicode": True}
    text = yaml.dump(value, Dumper=_Dumper, **how)
    return text.removesuffix("...\n").strip()


def _reason(error: yaml.YAMLError) -> str:
    """Return what is wrong with some YAML, and where, in one line."""
    mark = getattr(error, "problem_mark", None)
    place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{getattr(error, 'problem', None) or error}{place}".replace("\n", " ")
