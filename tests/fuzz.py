"""Look for inputs that a parser fails on, guided by what each input reaches in the code.

    python tests/fuzz.py                 # every parser, two minutes each
    python tests/fuzz.py 600 journal     # ten minutes of one

What must hold is what tests/inputs asks of inputs that are drawn at random (`checks.py`); here
atheris (libFuzzer) keeps whatever reaches a new branch, and goes on from there. Atheris is no part
of the environment: `pip install --require-hashes --no-deps -r tests/fuzz.lock` adds it, on Linux.
An input that fails is kept in build/fuzz/, and tried first in the next run.
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "data"), str(TESTS / "inputs")]

try:
    import atheris
except ImportError:
    sys.exit("atheris is absent: pip install --require-hashes --no-deps -r tests/fuzz.lock")

#: seconds that one input may take; libFuzzer counts whole ones
SLOWEST = 5
LONGEST = 4096  # bytes of an input
MEMORY = 4096  # MiB
KEPT = TESTS.parent / "build" / "fuzz"
#: what the parsers look for, beside what the code shows
WORDS = (
    *("Question:", "Explanation:", "Q1.", "yes", "no", "declines", "right", "wrong", "- ", "<br>"),
    *('"id"', '"image"', '"question"', '"answers"', '"choices"', '"response"', '"message"', "NaN"),
    *(
        '"content"',
        '"usage"',
        '"texts"',
        '"first"',
        '"key"',
        "null",
        "Infinity",
        "[]",
        "{}",
        "!!int",
    ),
    *("<think>", "</think>", "<image>", "\\\\ud83d", "&a", "*a", "0x", "1e999", "(A)", "option"),
)


class Target(NamedTuple):
    """A parser: what is done with some bytes, and good inputs to begin with."""

    check: Callable[[bytes], Any]
    good: list[bytes]


def targets(place: Path, guided: bool = False) -> dict[str, Target]:
    """Return every parser; files are written into a folder of their own."""
    seen = atheris.instrument_imports(include=["inbol_lib"], enable_loader_override=False)
    with seen if guided else contextlib.nullcontext():
        import checks  # late: atheris must see its imports
        from benchmark_files import OFFICIAL, pixels

    def text(content: bytes) -> str:
        return content.decode(errors="replace")

    def parts(content: bytes) -> list[str]:
        return [*text(content).split("\x1f"), "", "", ""]

    def judged(content: bytes) -> None:
        said, response, answer, options, *_ = parts(content)
        choices = [one for one in options.split("\x1e") if one]
        checks.judged(said, [answer] if answer.strip() else [], choices, response)

    row = {"id": "a", "question": "What?", "answers": ["red"], "image": "a.png", "response": "red"}
    reply = {"message": {"content": "red"}, "finish_reason": "stop"}
    found = {
        "value": Target(lambda data: checks.value(text(data)), [b"[1, 0.5]", b"{a: yes}", b"5e-7"]),
        "score": Target(
            lambda data: checks.score_rows(data.split(b"\n")), [json.dumps(row).encode()]
        ),
        "question": Target(checks.own_question, [json.dumps(row).encode()]),
        "generated": Target(
            lambda data: checks.generated(text(data)),
            [b"Question: Who?\nExplanation: no", b"| Question | Why |\n|--|--|\n| Who? | no |"],
        ),
        "judged": Target(judged, [b"Yes, it is.\x1fred\x1fred\x1fred\x1eblue", b"wrong - no\x1fa"]),
        "body": Target(checks.body, [json.dumps({"choices": [reply], "usage": {}}).encode()]),
        "journal": Target(
            lambda data: checks.journal(place / "journal.jsonl", data),
            [b'{"key": "a", "first": 0, "texts": ["red"], "model": "any"}'],
        ),
        "picture": Target(
            lambda data: checks.picture(place, data),
            [pixels(7, kind=kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP")],
        ),
        "name": Target(
            lambda data: checks.odd_name(place, text(data)), [b"a.png", b"../secret.png"]
        ),
    }
    for name, make in OFFICIAL.items():
        if name != "mmmu":  # its tables are those of the Hub, which pyarrow reads
            root = place / name
            make(root / name)
            for file in sorted((root / name).rglob("*.[jt]s*")):
                found[f"{name}/{file.name}"] = of_file(checks.benchmark, root, name, file)
    return found


def of_file(check: Callable, root: Path, name: str, file: Path) -> Target:
    """Return the reading of a benchmark, one of whose files is given."""

    def read(content: bytes) -> None:
        file.write_bytes(content)
        check(root, name)

    return Target(read, [file.read_bytes()])


def inside(name: str, seconds: str) -> None:
    """Try one parser; ends the process."""
    warnings.simplefilter("ignore")
    kept = KEPT / name.replace("/", "-")
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "own")
        place.mkdir()
        (place.parent / "secret.png").write_bytes(b"")
        target = targets(place, guided=True)[name]
        corpus, words = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        for number, content in enumerate(target.good):
            (corpus / str(number)).write_bytes(content)
        words.write_text(
            "".join(f'"{word.replace(chr(34), chr(92) + chr(34))}"\n' for word in WORDS)
        )
        bounds = [f"-max_total_time={seconds}", f"-timeout={SLOWEST}", f"-max_len={LONGEST}"]
        bounds += [f"-rss_limit_mb={MEMORY}", f"-dict={words}", f"-artifact_prefix={kept}/"]
        atheris.Setup([name, *bounds, "-print_final_stats=1", str(corpus), str(kept)], target.check)
        atheris.Fuzz()


def main(seconds: str = "120", *names: str) -> int:
    """Try each parser in a process of its own; returns 1 if one of them fails."""
    with tempfile.TemporaryDirectory() as folder:
        known = list(targets(Path(folder, "own")))
    failed = 0
    for name in [one for one in known if not names or one in names or one.split("/")[0] in names]:
        begun = time.monotonic()
        command = [sys.executable, __file__, "--inside", name, seconds]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        told = re.search(r"number_of_executed_units: (\d+)", done.stderr)
        tried = int(told[1]) if told else 0
        passed = time.monotonic() - begun
        print(
            f"{name}: {tried:,} inputs in {passed:.0f} s, {done.returncode or 'all fine'}",
            flush=True,
        )
        if done.returncode:
            failed = 1
            print("\n".join((done.stdout + done.stderr).splitlines()[-25:]), flush=True)
    return failed


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(*sys.argv[2:])
    else:
        sys.exit(main(*sys.argv[1:]))
