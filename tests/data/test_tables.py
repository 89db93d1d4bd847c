"""Tables come back as they are on the disk now, and reading them leaves nothing behind."""

import os
import subprocess
import sys

from datasets import Dataset
from PIL import Image

from inbol_lib.data.records import BATCH, QUESTION_FEATURES, load_table, load_tables, save_table


def table(*ids):
    """Questions about a picture of one pixel."""
    texts = dict.fromkeys(QUESTION_FEATURES, "")
    lists = {"answers": ["red"], "choices": [], "accepted": [], "image": Image.new("RGB", (1, 1))}
    rows = [{**texts, **lists, "id": name} for name in ids]
    return Dataset.from_list(rows, features=QUESTION_FEATURES)


def test_a_table_that_was_put_back_with_its_old_time_is_read_anew(tmp_path):
    path = save_table(table("old"), tmp_path / "t.parquet")
    made = path.stat().st_mtime_ns
    assert load_table(path)["id"] == ["old"]
    save_table(table("new"), path)
    os.utime(path, ns=(made, made))
    assert load_table(path)["id"] == ["new"]


def test_features_pictures_and_the_order_of_rows_stay(tmp_path):
    names = [f"q{number}" for number in range(2 * BATCH + 1)]
    first = save_table(table(*names), tmp_path / "a.parquet")
    second = save_table(table("last"), tmp_path / "b.parquet")
    read = load_tables([first, second])
    assert read.features == QUESTION_FEATURES
    assert read["id"] == [*names, "last"]
    assert read[-1]["image"].size == (1, 1)
    empty = save_table(table("q").select([]), tmp_path / "c.parquet")
    assert load_table(empty).features == QUESTION_FEATURES


READ = """
import sys
from pathlib import Path
from inbol_lib.data.records import load_table
print(load_table(Path(sys.argv[1])).map(lambda row: {"id": row["id"] + "!"})["id"])
"""


def test_reading_and_changing_a_table_leaves_no_copy(tmp_path):
    path = save_table(table("q"), tmp_path / "t.parquet")
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    env = {**os.environ, "HOME": str(home), "HF_HOME": str(home), "TMPDIR": str(home / "tmp")}
    command = [sys.executable, "-c", READ, path]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "q!" in done.stdout
    assert [file for file in home.rglob("*") if file.is_file()] == []
