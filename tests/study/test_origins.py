"""An artefact says what made it, and one that can not be read is refused by name."""

import hashlib
import json
import shutil
import subprocess
from importlib import metadata

import pytest

from inbol_lib import micro, paths
from inbol_lib.errors import ParameterError
from inbol_lib.study import stages
from inbol_lib.study.artefacts import origins


@pytest.fixture
def made(runs, smoke):
    """A complete artefact's folder."""
    return stages.open("tour", smoke).save({}).parent


def read(folder):
    return json.loads((folder / "made_by.json").read_text())


def changed(folder, **values):
    (folder / "made_by.json").write_text(json.dumps(read(folder) | values))


def test_an_artefact_names_versions_commit_weights_and_world(made, smoke):
    told = read(made)
    assert told["versions"]["torch"] == metadata.version("torch")
    assert {"python", "transformers", "trl", "peft", "inbol-lib"} <= set(told["versions"])
    assert told["world"] == micro.VERSION
    file = paths.WEIGHTS / smoke.model / "model.safetensors"
    inner = hashlib.sha256(file.read_bytes()).digest()
    assert told["weights"][smoke.model] == hashlib.sha256(inner).hexdigest()
    if (paths.ROOT / ".git").exists():
        head = ["git", "-C", paths.ROOT, "rev-parse", "HEAD"]
        assert told["commit"] == subprocess.run(head, capture_output=True, text=True).stdout.strip()


def test_other_weights_in_a_folder_are_other_weights_and_other_data_has_no_world(smoke, tmp_path):
    kept = shutil.copytree(paths.WEIGHTS / smoke.model, tmp_path / "mine")
    p = smoke.replace(model=str(kept), dataset="folder:x", unanswerable_generator="micro-s")
    before = origins.origin(p)
    assert before["world"] is None
    assert before["weights"][str(kept)] == before["weights"]["micro-s"]
    with open(kept / "model.safetensors", "ab") as file:
        file.write(b"x")
    assert origins.origin(p)["weights"][str(kept)] != before["weights"][str(kept)]


def test_an_equal_run_writes_an_equal_file(made, smoke):
    first = (made / "made_by.json").read_bytes()
    stages.open("tour", smoke).save({})
    assert (made / "made_by.json").read_bytes() == first


@pytest.mark.parametrize("schema", [0, origins.SCHEMA + 1, "new"])
def test_an_artefact_of_another_schema_is_refused_clearly(made, smoke, schema):
    changed(made, schema=schema, commit="abc123")
    with pytest.raises(ParameterError, match=f"schema {schema}, .* commit abc123; this one reads"):
        stages.ensure("tour", smoke)
    assert (made / "metrics.json").is_file(), "nothing is removed by itself"


def test_once_the_schema_rises_artefacts_without_a_word_are_refused(made, smoke, monkeypatch):
    (made / "made_by.json").unlink()
    stages.ensure("tour", smoke)
    monkeypatch.setattr(origins, "SCHEMA", 2)
    with pytest.raises(ParameterError, match="schema 1, .* reads schema 2"):
        stages.ensure("tour", smoke)


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b"\xff"])
def test_what_can_not_be_read_is_named(made, smoke, torn):
    (made / "made_by.json").write_bytes(torn)
    with pytest.raises(ParameterError, match="made_by.json can not be read"):
        stages.ensure("tour", smoke)
