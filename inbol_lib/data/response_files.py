"""Read the responses that `inbol score` is given, and name every fault in them."""

import json
from collections.abc import Iterable

from inbol_lib.data.texts import from_json, mended_all

NEEDED = ("id", "question", "response", "answers")
OPTIONAL = ("choices", "source", "image_id")


def _is_name(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(_is_text(one) and one.strip() for one in value)


#: key -> what its value must be, and the function that tells whether it is
RULES = {
    "id": ("text or a whole number", _is_name),
    "source": ("text or a whole number", _is_name),
    "image_id": ("text or a whole number", _is_name),
    "question": ("text", _is_text),
    "response": ("text", _is_text),
    "answers": ("a list of texts", _are_texts),
    "choices": ("a list of texts", _are_texts),
}


def read(lines: Iterable[bytes]) -> tuple[list[dict], list[str]]:
    """Read all lines of a file.

    Returns
    -------
    tuple of list and list
        The good rows, and every fault with its line number. Blank lines are skipped; a second row
        with the same id is a fault, and so is a file without rows.
    """
    rows: list[dict] = []
    found: list[str] = []
    first_lines: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row, wrong = _parsed(line)
        if not wrong:
            first = first_lines.setdefault(str(row["id"]), number)
            if first != number:
                wrong = [f"id {row['id']!r} was used in line {first} already"]
        if not wrong:
            rows.append(row)
        found += [f"line {number}: {fault}" for fault in wrong]
    if not rows and not found:
        found = ["the file has no rows"]
    return rows, found


def _parsed(line: bytes) -> tuple[dict, list[str]]:
    """Return the row on a line, and what is wrong with it."""
    try:
        row = from_json(line.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        return {}, [f"not JSON ({error.msg} at character {error.pos + 1})"]
    except ValueError as error:  # not UTF-8, or too deep
        return {}, [f"not JSON ({error})"]
    if isinstance(row, dict):
        row = _without_nulls(mended_all(row))
    return row, faults(row)


def _without_nulls(row: dict) -> dict:
    """Drop optional keys that are null: tables write null where a value is absent."""
    return {key: value for key, value in row.items() if value is not None or key not in OPTIONAL}


def faults(row: object) -> list[str]:
    """Describe what is wrong with one row; [] for a good one."""
    if not isinstance(row, dict):
        return ["each line must be one JSON object"]
    found = [f"{key} is missing" for key in NEEDED if key not in row]
    for key, (kind, is_valid) in RULES.items():
        if key in row and not is_valid(row[key]):
            found.append(f"{key} must be {kind}, given {row[key]!r:.200}")
    return found or _choice_faults(row)


def _choice_faults(row: dict) -> list[str]:
    """Describe what is wrong with the options of an otherwise good row."""
    choices = row.get("choices")
    if not choices:
        return []
    if not 2 <= len(choices) <= 26:
        return [f"choices must be 2 to 26 options, given {len(choices)}"]
    wrong = [answer for answer in row["answers"] if answer not in choices]
    if not wrong:
        return []
    return [
        f"the answer {wrong[0]!r} is none of the choices; "
        "give the text of the right option, not its letter"
    ]
