"""`inbol benchmarks` lists the data sets and exports their records."""

import json
import subprocess
import sys

import pytest
from benchmark_files import texts
from huggingface_hub._local_folder import write_download_metadata
from PIL import Image as Pictures

from inbol_lib.data import benchmarks
from inbol_lib.data.benchmarks import __main__


def test_the_list_says_what_there_is_and_what_is_found(everything, capsys):
    assert __main__.main(["--root", str(everything), "--json"]) == 0
    shown = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert [*shown] == [*benchmarks.ALL]
    assert shown["vqav2"]["found"] == {"train": "", "validation": "", "test": "official"}
    assert shown["mmmu"]["found"] == {"test": "parquet"}
    assert all(
        row["licence"] and row["size"] and (row["hub"] or row["files"]) for row in shown.values()
    )
    assert __main__.main(["--root", str(everything)]) == 0
    text = capsys.readouterr().out
    assert all(f"\n{b.name}: {b.title}" in f"\n{text}" for b in benchmarks.ALL.values())
    assert "214,354" in text
    assert "commit" not in text
    write_download_metadata(
        everything / "mmmu", "data/x.parquet", "a1" * 20, "etag"
    )  # what `hf download` does
    assert __main__.main(["mmmu", "--root", str(everything)]) == 0
    assert (
        f"in {everything / 'mmmu'}: test (parquet), commit {'a1' * 20}\n" in capsys.readouterr().out
    )


@pytest.mark.parametrize("name", benchmarks.ALL)
def test_exported_records_say_what_was_loaded(everything, name, capsys):
    target = everything / "out.jsonl"
    assert __main__.main([name, "--root", str(everything), "--export", str(target)]) == 0
    loaded = benchmarks.load(name, everything, "test", None)
    rows = [json.loads(line) for line in target.read_text(encoding="utf-8").split("\n")[:-1]]
    assert texts(rows) == texts(loaded)
    assert [r["id"] for r in rows] == loaded["id"]
    assert [Pictures.open(r["image"]).size for r in rows] == [(6, 4)] * len(rows)
    assert f"{len(rows)} records" in capsys.readouterr().out


def test_an_export_that_fails_leaves_no_file(everything, capsys):
    (everything / "gqa" / "images" / "n57.jpg").unlink()
    target = everything / "out.jsonl"
    assert __main__.main(["gqa", "--root", str(everything), "--export", str(target)]) == 2
    assert __main__.main(["nlvr", "--export", str(target)]) == 2
    assert __main__.main(["--export", str(target)]) == 2
    assert not target.exists()
    said = capsys.readouterr().err
    assert "n57.jpg" in said
    assert "there are vqav2" in said


def test_the_module_is_a_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "inbol_lib.data.benchmarks", "gqa", "--root", tmp_path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "12,578" in done.stdout
    assert "nothing" in done.stdout
