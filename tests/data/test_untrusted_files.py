"""Data that people download may be hostile: it takes no other files, and little memory and time."""

import io
import json
import struct
import subprocess
import sys
import zlib

import pyarrow as pa
import pytest
from benchmark_files import OFFICIAL, pixels
from datasets import Dataset
from PIL import Image

from inbol_lib.data import benchmarks, folder, texts
from inbol_lib.data.benchmarks import __main__ as command
from inbol_lib.data.benchmarks.hub_tables import rgb, unread
from inbol_lib.data.benchmarks.release_files import picture
from inbol_lib.data.pictures import MOST_PIXELS, TooLarge, opened
from inbol_lib.data.records import QUESTION_FEATURES
from inbol_lib.errors import ParameterError
from inbol_lib.evaluation import score


def png(width, height):
    """A grey PNG of any size, some 170 KB for 170 million pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(width + 1)) for _ in range(height)) + packer.flush()
    chunks = [(b"IHDR", head), (b"IDAT", rows), (b"IEND", b"")]
    written = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        written += struct.pack(">I", len(data)) + kind + data
        written += struct.pack(">I", zlib.crc32(kind + data))
    return written


BOMB = png(13_000, 13_000)
READ = """
import resource, sys
from pathlib import Path
from inbol_lib.data import folder
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    folder.check(Path(sys.argv[1]))
except ValueError as error:
    print(error, file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def question_file(root, image):
    """A folder of questions, the first of which has this image."""
    row = {"id": "q", "image": image, "question": "What?", "answers": ["red"]}
    (root / "questions.jsonl").write_text(json.dumps(row))
    return root


def test_a_small_file_with_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    assert len(BOMB) < 400_000
    (tmp_path / "bomb.png").write_bytes(BOMB)
    command = [sys.executable, "-c", READ, question_file(tmp_path, "bomb.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "image 'bomb.png' is too large: it has 169,000,000 pixels" in done.stderr
    assert int(done.stdout) < 20_000  # KB


@pytest.mark.parametrize(("width", "height"), [(8001, 6250), (1, MOST_PIXELS + 1), (40000, 40000)])
def test_every_reader_bounds_the_pixels(width, height):
    head = png(width, 1)  # the header alone says how many there are
    made = head[:20] + struct.pack(">I", height) + head[24:]
    made = made[:29] + struct.pack(">I", zlib.crc32(made[12:29])) + made[33:]
    for read in (rgb, lambda data: opened(io.BytesIO(data))):
        with pytest.raises(TooLarge, match="pixels; at most 50,000,000"):
            read(made)
    assert opened(io.BytesIO(png(20, 10))).size == (20, 10)


@pytest.fixture
def secret(tmp_path):
    """A benchmark's folder, with a picture beside it that is none of its own."""
    (tmp_path / "secret.png").write_bytes(pixels(7))
    home = tmp_path / "data" / "vizwiz"
    OFFICIAL["vizwiz"](home)
    return tmp_path / "secret.png", home


@pytest.mark.parametrize("way", ["../../secret.png", "absolute", "link", "val/../../../secret.png"])
def test_a_benchmark_s_rows_take_no_file_outside_its_folder(secret, way):
    file, home = secret
    name = way
    if way == "absolute":
        name = str(file)
    if way == "link":
        name = "own.png"
        (home / name).symlink_to(file)
    assert (home / name).is_file()
    rows = json.loads((home / "Annotations" / "val.json").read_text())
    for row in rows:
        row["image"] = name
    (home / "Annotations" / "val.json").write_text(json.dumps(rows[:1]))
    with pytest.raises(ParameterError, match=f"{name}' leaves the folder"):
        benchmarks.load("vizwiz", home.parent, "test", 9)


def test_a_parquet_row_takes_no_file_of_this_machine(secret):
    file, home = secret
    row = {
        name: [] if kind == QUESTION_FEATURES["answers"] else ""
        for name, kind in QUESTION_FEATURES.items()
    }
    table = Dataset.from_list([row | {"image": None}], features=QUESTION_FEATURES).data.table
    names = table.column_names
    cell = {"bytes": None, "path": str(file)}
    columns = {name: [cell] if name == "image" else table[name] for name in names}
    made = pa.table(columns, schema=table.schema)
    (held,) = unread(Dataset(made))
    with pytest.raises(ValueError, match="leaves the folder"):
        held["image"]()


def test_folders_of_photographs_may_be_links_of_our_own(secret, tmp_path):
    _, home = secret
    elsewhere = tmp_path / "disk"
    elsewhere.mkdir()
    (elsewhere / "a.png").write_bytes(pixels(1))
    (home.parent / "coco").mkdir()
    (home.parent / "coco" / "val2017").symlink_to(elsewhere)
    assert picture(home, "val2017/a.png")() == home.parent / "coco" / "val2017" / "a.png"
    with pytest.raises(ValueError, match="leaves the folder"):
        picture(home, "val2017/../../../secret.png")()


def test_ids_that_look_alike_are_exported_to_files_of_their_own(tmp_path):
    ids = ["a/b", "a_b", "a:b", "A_b", "..", "", "x" * 300, "x" * 301, "q.1", "ä"]
    names = [command.file_name(name).lower() for name in ids]
    assert len(set(names)) == len(ids)
    assert all(name.isascii() and len(name) < 100 and "." not in name for name in names)
    shades = {name: pixels(shade) for shade, name in enumerate(ids)}
    paths = {
        name: command.picture_path({"id": name}, data, tmp_path) for name, data in shades.items()
    }
    for name, path in paths.items():
        with open(path, "rb") as file:
            assert file.read() == shades[name]


DEPTHS = [51, 200, 400, 600, 900, 990, 5_000, 200_000]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("key", ["answers", "question", "extra"])
def test_deep_brackets_are_a_fault_of_a_line(tmp_path, capsys, depth, key):
    row = {"id": "q", "image": "a.png", "question": "What?", "answers": ["red"], "response": "red"}
    texts_ = json.dumps(row | {key: "HERE"}).replace('"HERE"', "[" * depth + "]" * depth)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "questions.jsonl").write_text(texts_)
    with pytest.raises(ParameterError, match="line 1: .*brackets"):
        folder.check(tmp_path)
    (tmp_path / "responses.jsonl").write_text(texts_)
    assert score.main([str(tmp_path / "responses.jsonl"), "--judge", "string"]) == 2
    assert "brackets are open at a time" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["[" * 200_000, "{", "\udcff"])
def test_a_benchmark_s_file_that_is_no_json_is_named(secret, content):
    _, home = secret
    (home / "Annotations" / "val.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ParameterError, match="val.json is no JSON"):
        benchmarks.load("vizwiz", home.parent, "test", 9)


def test_what_people_write_is_not_deep():
    nested = json.loads("[" * texts.DEEPEST + "]" * texts.DEEPEST)
    assert texts.from_json(json.dumps(nested)) == nested
