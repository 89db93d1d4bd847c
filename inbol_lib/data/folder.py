"""Any VQA data set as a folder: images and a `questions.jsonl` with one JSON object a line.

    {"id": "q1", "image": "images/7.png", "question": "What color is it?", "answers": ["red"]}

`id` is unique; `image` is a path inside the folder, of a picture of at most 50 million pixels;
`answers` lists every accepted answer (at least one). Optional `choices` lists the options of a
multiple-choice question; one of them is the answer. Optional `split` is "train", "validation" or
"test"; without it, a stable hash of the image divides the questions 60/20/20. No image may occur in
two splits.
"""

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from datasets import Dataset

from inbol_lib.data.pictures import TooLarge, as_rgb, inside, opened
from inbol_lib.data.records import QUESTION_FEATURES
from inbol_lib.data.texts import MARK, from_json, is_whole
from inbol_lib.errors import ParameterError

SPLITS = ("train", "validation", "test")
FIFTHS = ("train", "train", "train", "validation", "test")
LISTED = 20  # kinds of problem that are shown
EXAMPLES = 3  # of each kind


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_answers(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_is_text, value))


def _are_choices(value: Any) -> bool:
    if not value:
        return True
    return _are_answers(value) and 2 <= len(value) <= 9 and len(set(value)) == len(value)


def _is_split(value: Any) -> bool:
    return value is None or value in SPLITS


class Rule(NamedTuple):
    """What a key's value must be, and the function that tells whether it is."""

    kind: str
    allows: Callable[[Any], bool]


RULES = {
    "id": Rule("a non-empty string", _is_text),
    "image": Rule("a non-empty string", _is_text),
    "question": Rule("a non-empty string", _is_text),
    "answers": Rule("a list of at least one non-empty string", _are_answers),
    "choices": Rule("a list of 2 to 9 different options, or absent", _are_choices),
    "split": Rule(f"one of {', '.join(SPLITS)}, or absent", _is_split),
}


@cache
def check(root: Path) -> tuple[dict, ...]:
    """Read all rows of a valid folder, each with its split.

    Raises
    ------
    ParameterError
        Naming every kind of problem with its first lines, or the splits without a question.
    """
    table = root / "questions.jsonl"
    if not table.is_file():
        raise ParameterError(
            f"{table} does not exist; it holds one object a line: "
            '{"id": "q1", "image": "images/7.png", "question": "What color is it?", '
            '"answers": ["red"]}'
        )
    content = table.read_bytes()
    _refuse_a_list(table, content)
    reader = _Reader(root)
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            reader.read(number, line)
    if reader.problems:
        raise ParameterError(_summary(table, reader.problems))
    filled = {row["split"] for row in reader.rows}
    empty = [split for split in SPLITS if split not in filled]
    if empty:
        raise ParameterError(
            f"{table} holds no {' and no '.join(empty)} question; add questions, "
            'or give every line a "split"'
        )
    return tuple(reader.rows)


def _refuse_a_list(table: Path, content: bytes) -> None:
    """Refuse a file that is one JSON list as a whole, which would be broken in every line."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return
    try:
        listed = from_json(content)
    except ValueError:
        return
    if len(listed) > 1 or b"\n" in content.strip():
        raise ParameterError(
            f"{table} is one JSON list of {len(listed):,}; one object a line is needed. This "
            f"rewrites it: python -c \"import json; t = json.load(open(r'{table}')); "
            f"open(r'{table}', 'w').writelines(json.dumps(row) + '\\n' for row in t)\""
        )


#: what makes two problems of one kind differ: texts, numbers; what is not closed ends with the line
_PARTICULARS = re.compile(
    r"'(?:[^'\\]|\\.)*(?:'|$)|\"(?:[^\"\\]|\\.)*(?:\"|$)|\[(?:.*\]|.*)|\{(?:.*\}|.*)|\d+"
)


def _summary(table: Path, problems: list[tuple[int, str]]) -> str:
    """Say each kind of problem once, with its first lines and its first examples."""
    kinds: dict[str, list[tuple[int, str]]] = {}
    for number, problem in problems:
        kinds.setdefault(_kind(problem), []).append((number, problem))
    head = f"{table} has {_counted(len(problems), 'problem')}:"
    lines = [head]
    for alike in list(kinds.values())[:LISTED]:
        shown = [f"line {number}: {problem}" for number, problem in alike[:EXAMPLES]]
        if len(alike) > EXAMPLES:
            rest = _counted(len(alike) - EXAMPLES, "more line")
            shown[-1] += f"\n  … and {rest} of the same kind, the last of them line {alike[-1][0]}"
        lines += shown
    if len(kinds) > LISTED:
        lines.append(f"… and {len(kinds) - LISTED} other kinds of problem")
    return "\n".join(lines)


def _kind(problem: str) -> str:
    """Return what a problem has in common with others: its words, and the key that it is about."""
    said, quoted = problem.partition(", given ")[0], problem.split("'")
    about = quoted[1] if len(quoted) > 1 and quoted[1] in RULES else ""
    return about + _PARTICULARS.sub("…", said)


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"


class _Reader:
    """Reads lines one after the other and remembers what a later line must not repeat."""

    def __init__(self, root: Path):
        self.root = root
        self.rows: list[dict] = []
        self.problems: list[tuple[int, str]] = []  # the number of the line, and what is wrong
        self._line_of: dict[str, int] = {}  # id -> the line that used it first
        self._split_of: dict[Path, str] = {}  # image file -> its split
        self._image_problems: dict[str, list[str]] = {}

    def read(self, number: int, line: bytes) -> None:
        """Add the row of a line, or its problems."""
        row, wrong = _parsed(line)
        if not wrong:
            wrong = self._problems_of_image(row["image"])
        if not wrong:
            row["split"] = row.get("split") or _split_by_hash(row["image"])
            wrong = self._repeated(row, number)
            self.rows.append(row)
        self.problems += [(number, problem) for problem in wrong]

    def _problems_of_image(self, name: str) -> list[str]:
        if name not in self._image_problems:  # every image is opened once
            self._image_problems[name] = _image_problems(self.root, name)
        return self._image_problems[name]

    def _repeated(self, row: dict, number: int) -> list[str]:
        """Describe the id or image that another line has, too."""
        first = self._line_of.setdefault(row["id"], number)
        if first != number:
            return [f"id {row['id']!r} was used in line {first}"]
        file = (self.root / row["image"]).resolve()
        split = self._split_of.setdefault(file, row["split"])
        if split != row["split"]:
            return [f"image {row['image']!r} is in split {split!r} as well as {row['split']!r}"]
        return []


def _split_by_hash(image: str) -> str:
    return FIFTHS[int(hashlib.sha256(image.encode()).hexdigest(), 16) % len(FIFTHS)]


def _parsed(line: bytes) -> tuple[dict, list[str]]:
    """Return a line's object, and what is wrong with it."""
    try:
        row = from_json(line)
    except ValueError as error:
        return {}, [f"no JSON in UTF-8: {error}".replace("line 1 column", "column")]
    if not isinstance(row, dict):
        return {}, [f"expected an object, got {type(row).__name__}"]
    wrong = [
        f"{key!r} must be {rule.kind}, given {row.get(key)!r:.200}"
        for key, rule in RULES.items()
        if not rule.allows(row.get(key))
    ]
    if not wrong and row.get("choices") and row["answers"][0] not in row["choices"]:
        answer, choices = row["answers"][0], row["choices"]
        wrong.append(f"'choices' must hold the answer {answer!r}, given {choices!r}")
    return row, wrong or _unusable_texts(row)


def _unusable_texts(row: dict) -> list[str]:
    """Describe texts that no file can hold, or that a tokenizer would not read as text."""
    wrong = []
    for key in ("id", "image", "question", "answers", "choices"):
        texts = row.get(key) or []
        for text in [texts] if isinstance(texts, str) else texts:
            mark = MARK.search(text)
            if not is_whole(text):
                wrong.append(f"{key!r} holds half a character (a lone surrogate): {text!r:.100}")
            elif mark and key not in ("id", "image"):
                wrong.append(f"{key!r} holds {mark[0]!r}, which models read as a mark, not as text")
    return wrong


def _image_problems(root: Path, name: str) -> list[str]:
    """Describe what is wrong with an image."""
    try:
        if not inside(root, name):
            return [f"image path {name!r} leaves the folder"]
        if not (root / name).is_file():
            return [f"image {name!r} does not exist"]
        with opened(root / name) as image:
            image.load()  # verify() alone passes a JPEG that is cut off
    except TooLarge as error:
        return [f"image {name!r} is too large: {error}"]
    except (OSError, ValueError, SyntaxError) as error:
        return [f"{name!r:.200} is not a readable image ({type(error).__name__})"]
    return []


def load(root: Path, split: str, n: int, seed: int = 0) -> Dataset:
    """Load up to `n` questions of a split as Question rows, in an order drawn by `seed`.

    Raises
    ------
    ParameterError
        When the folder is not valid (`check`).
    """

    def place(row: dict) -> bytes:
        return hashlib.sha256(f"{seed}|{row['id']}".encode()).digest()

    mine = [row for row in check(root) if row["split"] == split]
    rows = [_question(root, row) for row in sorted(mine, key=place)[:n]]
    table = Dataset.from_list(rows, features=QUESTION_FEATURES)
    return table.map(lambda row: {"image": as_rgb(row["image"])}, features=QUESTION_FEATURES)


def _question(root: Path, row: dict) -> dict:
    return {
        "id": row["id"],
        "image": str(root / row["image"]),
        "image_id": row["image"],
        "question": row["question"],
        "answers": row["answers"],
        "choices": row.get("choices") or [],
        "source": root.name,
        "split": row["split"],
        "group": row["id"],
        "accepted": [],
    }
