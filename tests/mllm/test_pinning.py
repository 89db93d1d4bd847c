"""A pinned model is exactly that commit, and artefacts say which commit made them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub._local_folder import write_download_metadata
from transformers import AutoModelForImageTextToText

from inbol_lib import params
from inbol_lib.data import hub_copies
from inbol_lib.errors import ParameterError
from inbol_lib.mllm import pinning
from inbol_lib.paths import ROOT
from inbol_lib.study import graph

COMMIT, NEWEST = "a1" * 20, "b2" * 20
MISSING = "c" * 40
LOADED = """
import json, sys
from inbol_lib.mllm import loading, pinning
name = sys.argv[1]
net, processor = loading.load(name, device="cpu")
weight = float(net.get_output_embeddings().weight[0, 0])
print(json.dumps([weight, pinning.COMMITS, loading.resolve(name)]))
"""
SAVED = """
import sys
from inbol_lib import params
from inbol_lib.mllm import loading
from inbol_lib.study import stages
p = params.load("smoke", model=sys.argv[1])
loading.load(p.model, device="cpu")
print(stages.open("tour", p).save({"a": 1}))
"""


@pytest.fixture(scope="module")
def cache(tiny, tmp_path_factory):
    """A Hub cache with two commits of acme/tiny, the second of which is main.

    The first weight is 1 in the first commit and 2 in the second.
    """
    home = tmp_path_factory.mktemp("hub")
    repo = home / "models--acme--tiny"
    for value, commit in enumerate((COMMIT, NEWEST), 1):
        net = AutoModelForImageTextToText.from_pretrained(tiny[2])
        net.get_output_embeddings().weight.data[0, 0] = value
        net.save_pretrained(repo / "snapshots" / commit)
        tiny[1].save_pretrained(repo / "snapshots" / commit)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(NEWEST)
    return home


def offline(cache, name, code=LOADED):
    """Run code about a model in a process of its own that has nothing but the cache."""
    env = {**os.environ, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, name], env=env, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("pin", "weight", "commit"),
    [(f"@{COMMIT}", 1.0, COMMIT), (f"@{NEWEST}", 2.0, NEWEST), ("", 2.0, NEWEST)],
)
def test_a_pinned_model_is_exactly_that_commit_and_a_plain_one_says_which_it_was(
    cache, pin, weight, commit
):
    done = offline(cache, f"acme/tiny{pin}")
    assert done.returncode == 0, done.stderr
    found, commits, source = json.loads(done.stdout)
    assert found == weight
    assert commits == {f"acme/tiny{pin}": commit}
    snapshot = cache / "models--acme--tiny" / "snapshots" / commit
    assert source == (str(snapshot) if pin else "acme/tiny")


def test_a_commit_that_is_not_there_says_which_are_and_how_to_get_it(cache):
    done = offline(cache, f"acme/tiny@{MISSING}")
    assert done.returncode
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"ValueError: acme/tiny at commit {MISSING} is unavailable")
    assert f"in the cache: {COMMIT}, {NEWEST}" in said
    assert f"hf download acme/tiny --revision {MISSING}" in said


def test_the_commit_is_written_down_with_the_artefact(cache, runs, smoke):
    done = offline(cache, f"acme/tiny@{COMMIT}", SAVED)
    assert done.returncode == 0, done.stderr
    metrics = Path(done.stdout.strip())
    assert json.loads(metrics.read_text()) == {"a": 1, "commits": {f"acme/tiny@{COMMIT}": COMMIT}}
    assert metrics.parent.name.startswith("tiny-"), (
        "people read the name; the fingerprint behind it knows the commit"
    )
    assert metrics.parent == graph.path("tour", smoke.replace(model=f"acme/tiny@{COMMIT}"))
    assert metrics.parent != graph.path("tour", smoke.replace(model=f"acme/tiny@{NEWEST}"))


@pytest.mark.parametrize(
    "key", ["model", "test_model", "judge", "unanswerable_generator", "verifier"]
)
def test_a_pin_is_a_commit(smoke, key):
    pinned = f"acme/tiny@{COMMIT}"
    assert getattr(smoke.replace(**{key: pinned}), key) == pinned
    for wrong in ("main", "v1.0", "", COMMIT[:7], COMMIT.upper()):
        message = f"{key}: given 'acme/tiny@{wrong}'.*40 hex digits"
        with pytest.raises(ParameterError, match=message):
            smoke.replace(**{key: f"acme/tiny@{wrong}"})


def test_what_is_no_id_of_the_hub_is_not_pinned(tmp_path, monkeypatch):
    for plain in ("acme/tiny", "endpoint:acme/tiny@main", "/models/me@home/tiny", "micro-s"):
        assert params.pinned(plain) == (plain, "")
    (tmp_path / "my" / "model@2").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert params.pinned("my/model@2") == ("my/model@2", ""), "a folder that is there"


def test_a_folder_of_data_says_of_which_commit_it_is(tmp_path):
    assert hub_copies.commits(tmp_path) == ""
    for name, commit in (("a.parquet", COMMIT), ("data/b.parquet", COMMIT), ("c.json", NEWEST)):
        # what `hf download --local-dir` does
        write_download_metadata(tmp_path, name, commit, "etag")
    both = f"{COMMIT}, {NEWEST}"
    assert hub_copies.commits(tmp_path) == both
    loaded = pinning.loaded(f"benchmarks:{tmp_path.parent}", [tmp_path.name, "nothing"])
    assert loaded["commits"][tmp_path.name] == both
