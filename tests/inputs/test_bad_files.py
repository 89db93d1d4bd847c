"""Files of benchmarks and pictures, broken in every way, give questions or are named."""

import json
import os
from pathlib import Path

import checks
import pytest
from benchmark_files import HUB, OFFICIAL, pixels
from hypothesis import example, given
from hypothesis import strategies as st
from test_bad_input import HUGE, TEXTS, VALUES

#: benchmark -> who writes its small files; MMMU's are those of the others' parquet form
MAKERS = {name: make for name, make in OFFICIAL.items() if name != "mmmu"}
TABLES = {".json", ".jsonl", ".tsv", ".parquet"}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Small files of every benchmark, and of one as the Hub has it: (name, root, its tables)."""
    made = []
    for form, makers in (("official", MAKERS), ("hub", {"vizwiz": HUB["vizwiz"]})):
        for name, make in makers.items():
            root = tmp_path_factory.mktemp(f"{form}-{name}")
            make(root / name)
            tables = [file for file in root.rglob("*") if file.suffix in TABLES]
            made.append((name, root, sorted(tables)))
    return made


def nodes(value, path=()):
    """Yield the path to every part of a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for key, one in inner:
        yield from nodes(one, (*path, key))


def changed(value, path, put):
    """A JSON value with `put(parent, key)` done at a path."""
    if not path:
        return put({"": value}, "")
    whole = json.loads(json.dumps(value))
    parent = whole
    for key in path[:-1]:
        parent = parent[key]
    put(parent, path[-1])
    return whole


def broken(data, content, is_json):
    """Some content with one thing changed: a part of its JSON, or its bytes."""
    if is_json and data.draw(st.booleans()):
        value = json.loads(content)
        path = data.draw(st.sampled_from(list(nodes(value))))
        if path and data.draw(st.booleans()):
            return checks.line_of(changed(value, path, lambda parent, key: parent.pop(key)))
        other = data.draw(VALUES)
        if not path:
            return checks.line_of(other)
        return checks.line_of(
            changed(
                value,
                path,
                lambda parent, key: (
                    parent.update({key: other})
                    if isinstance(parent, dict)
                    else parent.insert(key, other)
                ),
            )
        )
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    return content[:start] + data.draw(st.one_of(st.binary(max_size=20), HUGE)) + content[end:]


@given(data=st.data())
def test_a_benchmark_s_files_give_questions_or_are_named(places, data):
    name, root, tables = data.draw(st.sampled_from(places), label="benchmark")
    file = data.draw(st.sampled_from(tables), label="file")
    before = file.read_bytes()
    try:
        file.write_bytes(broken(data, before, file.suffix in (".json", ".jsonl")))
        checks.benchmark(root, name)
    finally:
        file.write_bytes(before)


@pytest.mark.parametrize("name", MAKERS)
def test_a_row_without_a_column_or_with_another_kind_is_named(tmp_path, name):
    MAKERS[name](tmp_path / name)
    for file in sorted(tmp_path.rglob("*.json*")):
        before = file.read_bytes()
        value = json.loads(before)
        for path in [path for path in nodes(value) if path]:
            for put in (lambda parent, key: parent.pop(key), set_to(7), set_to(None), set_to([])):
                file.write_bytes(checks.line_of(changed(value, path, put)))
                checks.benchmark(tmp_path, name)
        file.write_bytes(before)


def set_to(value):
    """A function that puts a value at a place."""
    return lambda parent, key: parent.__setitem__(key, value)


PICTURES = [
    pixels(7, mode, kind)
    for mode in ("RGB", "L")
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA")
]


@given(st.sampled_from(PICTURES), st.data())
def test_a_picture_is_read_or_named(tmp_path_factory, good, data):
    checks.picture(tmp_path_factory.getbasetemp(), broken(data, good, is_json=False))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a link out of it, beside a picture that is none of its own."""
    folder = tmp_path_factory.mktemp("beside") / "own"
    folder.mkdir()
    (folder.parent / "secret.png").write_bytes(pixels(1))
    (folder / "link").symlink_to("..")
    (folder / "near").symlink_to("../secret.png")
    return folder


PARTS = st.sampled_from(["..", ".", "", "link", "near", "own", "secret.png", "/", "~", "x\0"])


@given(st.one_of(TEXTS, st.lists(PARTS, max_size=6).map("/".join)))
@example("../secret.png")
@example("link/secret.png")
@example("near")
def test_a_picture_s_name_leads_to_no_other_file(home, name):
    checks.odd_name(home, name)
    checks.odd_name(home, os.path.join(home, name.replace("\0", "")))
    assert Path(home.parent / "secret.png").is_file()
