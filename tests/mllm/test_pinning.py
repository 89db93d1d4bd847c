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
NAMES = {pin: f"acme/tiny{pin}" for pin in (f"@{COMMIT}", f"@{NEWEST}", "", f"@{MISSING}")}
#: Prints what is loaded under each name, or how that fails, and then what an artefact says of one.
LOADED = """
import json, sys
from inbol_lib import params
from inbol_lib.mllm import loading, pinning
from inbol_lib.study import stages

def loaded(name):
    pinning.COMMITS.clear()
    try:
        net, _ = loading.load(name, device="cpu")
    except ValueError as error:
        return f"ValueError: {error}"
    weight = float(net.get_output_embeddings().weight[0, 0])
    return [weight, dict(pinning.COMMITS), loading.resolve(name)]

print(json.dumps({name: loaded(name) for name in sys.argv[1:]}))
loaded(sys.argv[1])
p = params.load("smoke", model=sys.argv[1])
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


@pytest.fixture(scope="module")
def offline(cache, tmp_path_factory):
    """What one process that has nothing but the cache loads: under each name, and its artefact."""
    runs = tmp_path_factory.mktemp("runs")
    env = {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "INBOL_RUNS": str(runs)}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *NAMES.values()],
        env={**os.environ, **env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found, metrics = done.stdout.splitlines()
    return json.loads(found), Path(metrics)


@pytest.mark.parametrize(
    ("pin", "weight", "commit"),
    [(f"@{COMMIT}", 1.0, COMMIT), (f"@{NEWEST}", 2.0, NEWEST), ("", 2.0, NEWEST)],
)
def test_a_pinned_model_is_exactly_that_commit_and_a_plain_one_says_which_it_was(
    cache, offline, pin, weight, commit
):
    found, commits, source = offline[0][NAMES[pin]]
    assert found == weight
    assert commits == {NAMES[pin]: commit}
    snapshot = cache / "models--acme--tiny" / "snapshots" / commit
    assert source == (str(snapshot) if pin else "acme/tiny")


def test_a_commit_that_is_not_there_says_which_are_and_how_to_get_it(offline):
    said = offline[0][NAMES[f"@{MISSING}"]]
    assert said.startswith(f"ValueError: acme/tiny at commit {MISSING} is unavailable")
    assert f"in the cache: {COMMIT}, {NEWEST}" in said
    assert f"hf download acme/tiny --revision {MISSING}" in said


def test_the_commit_is_written_down_with_the_artefact(offline, smoke, monkeypatch):
    metrics = offline[1]
    monkeypatch.setenv("INBOL_RUNS", str(metrics.parents[2]))
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
