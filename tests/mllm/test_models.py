import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub._local_folder import write_download_metadata
from peft import LoraConfig, get_peft_model
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from inbol_lib import params, paths
from inbol_lib.data import hub_copies
from inbol_lib.errors import ParameterError
from inbol_lib.mllm import chat, loading, pinning
from inbol_lib.paths import ROOT
from inbol_lib.study import graph

PICTURE = Image.new("RGB", (48, 48), "red")


def test_the_folder_loads_without_our_code(tiny):
    folder = tiny[2]
    processor, model = (
        AutoProcessor.from_pretrained(folder),
        AutoModelForImageTextToText.from_pretrained(folder),
    )
    assert type(model).__name__ == "LlavaForConditionalGeneration"
    assert type(processor).__name__ == "LlavaProcessor"


def test_the_packaged_model_is_the_one_in_its_manifest():
    from inbol_lib.micro.models.pretrain import STAGES, STEPS, sha256

    for folder in paths.WEIGHTS.iterdir():
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["sha256"] == sha256(folder), folder.name
        if "recipe" in manifest:  # `make pretrain` makes what is shipped
            shares = {name: [share, tasks] for name, (share, tasks) in STAGES.items()}
            assert (manifest["recipe"]["stages"], manifest["recipe"]["steps"]) == (
                shares,
                STEPS[manifest["size"]],
            )


def test_prompts_are_left_padded_with_bos_and_all_image_tokens(tiny):
    _, processor, _ = tiny
    batch = chat.encode(
        processor, [PICTURE] * 2, ["Which?", "What color is the circle in this long question?"]
    )
    ids, mask = batch["input_ids"], batch["attention_mask"].bool()
    assert (ids == chat.image_token_id(processor)).sum(1).tolist() == [36, 36]
    assert all(
        row[m][0] == processor.tokenizer.bos_token_id for row, m in zip(ids, mask, strict=True)
    )
    assert mask[:, -1].all()
    assert not mask[0, 0]


def test_a_batch_that_would_be_read_wrongly_is_refused(tiny):
    processor = tiny[1]
    batch = chat.encode(
        processor, [PICTURE] * 2, ["Which?", "What color is the circle in this long question?"]
    )
    ids, mask = batch["input_ids"], batch["attention_mask"]
    no_bos = ids.masked_fill(
        ids == processor.tokenizer.bos_token_id, processor.tokenizer.unk_token_id
    )
    for wrong, held, word in ((no_bos, mask, "BOS"), (ids, mask.flip(1), "left")):
        with pytest.raises(ValueError, match=word):
            chat.check_batch(processor, [PICTURE] * 2, wrong, held)
    fewer = ids.clone()
    fewer[:, (ids == chat.image_token_id(processor)).all(0).nonzero()[0]] = (
        processor.tokenizer.unk_token_id
    )
    with pytest.raises(ValueError, match="35.*36"):
        chat.check_batch(processor, [PICTURE] * 2, fewer, mask)


def test_an_adapter_is_applied(tiny, tmp_path):
    net = AutoModelForImageTextToText.from_pretrained(tiny[2])
    wrapped = get_peft_model(
        net,
        LoraConfig(
            target_modules=loading.language_model_linear_names(net), init_lora_weights=False
        ),
    )
    wrapped.save_pretrained(tmp_path / "adapter")
    batch = chat.encode(tiny[1], [PICTURE], ["What color is it?"])
    with torch.no_grad():
        wanted, base = wrapped.eval()(**batch).logits, tiny[0](**batch).logits
        found = loading.load(str(tiny[2]), tmp_path / "adapter", device="cpu")[0](**batch).logits
    assert torch.allclose(found, wanted, atol=1e-3)
    assert not torch.allclose(found, base, atol=1e-1)


def test_lora_touches_the_language_model_alone(tiny):
    names = loading.language_model_linear_names(tiny[0])
    assert len(names) == 2 * 7
    assert all("language_model" in n for n in names)


def test_pad_must_not_be_eos(tiny):
    processor = AutoProcessor.from_pretrained(tiny[2])
    processor.tokenizer.pad_token = processor.tokenizer.eos_token
    with pytest.raises(ValueError, match="masked"):
        loading.check_tokens(processor)


def test_a_missing_package_says_what_there_is():
    with pytest.raises(ValueError, match="micro-s"):
        loading.load("micro-xl")


COMMIT, NEWEST = "a1" * 20, "b2" * 20
LOADED = """
import json, sys
from inbol_lib.mllm import loading, pinning
net, processor = loading.load(sys.argv[1], device="cpu")
print(json.dumps([float(net.get_output_embeddings().weight[0, 0]), pinning.COMMITS, loading.resolve(sys.argv[1])]))
"""


@pytest.fixture(scope="module")
def cache(tiny, tmp_path_factory):
    """A Hub cache with two commits of acme/tiny, of which the second one is main; the first weight is 1 in one and 2 in the other."""
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
    assert (found, commits) == (weight, {f"acme/tiny{pin}": commit})
    assert source == (
        str(cache / "models--acme--tiny" / "snapshots" / commit) if pin else "acme/tiny"
    )


def test_a_commit_that_is_not_there_says_which_are_and_how_to_get_it(cache):
    done = offline(cache, f"acme/tiny@{'c' * 40}")
    assert done.returncode
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"ValueError: acme/tiny at commit {'c' * 40} can not be had")
    assert f"in the cache: {COMMIT}, {NEWEST}" in said
    assert f"hf download acme/tiny --revision {'c' * 40}" in said


def test_the_commit_is_written_down_with_the_artefact(cache, runs, smoke):
    code = "import sys; from inbol_lib import params; from inbol_lib.mllm import loading; from inbol_lib.study import stages; p = params.load('smoke', model=sys.argv[1])\n"
    code += "loading.load(p.model, device='cpu'); print(stages.open('tour', p).save({'a': 1}))"
    done = offline(cache, f"acme/tiny@{COMMIT}", code)
    assert done.returncode == 0, done.stderr
    metrics = Path(done.stdout.strip())
    assert json.loads(metrics.read_text()) == {"a": 1, "commits": {f"acme/tiny@{COMMIT}": COMMIT}}
    assert metrics.parent.name.startswith("tiny-"), (
        "people read the name; the fingerprint behind it knows the commit"
    )
    assert metrics.parent == graph.path("tour", smoke.replace(model=f"acme/tiny@{COMMIT}"))
    assert metrics.parent != graph.path("tour", smoke.replace(model=f"acme/tiny@{NEWEST}"))


def test_a_pin_is_a_commit(tmp_path, monkeypatch, smoke):
    for key in ("model", "test_model", "judge", "unanswerable_generator", "verifier"):
        assert getattr(smoke.replace(**{key: f"acme/tiny@{COMMIT}"}), key) == f"acme/tiny@{COMMIT}"
        for wrong in ("main", "v1.0", "", COMMIT[:7], COMMIT.upper()):
            with pytest.raises(
                ParameterError, match=f"{key}: given 'acme/tiny@{wrong}'.*40 hex digits"
            ):
                smoke.replace(**{key: f"acme/tiny@{wrong}"})
    for plain in ("acme/tiny", "endpoint:acme/tiny@main", "/models/me@home/tiny", "micro-s"):
        assert params.pinned(plain) == (plain, "")
    (tmp_path / "my" / "model@2").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert params.pinned("my/model@2") == ("my/model@2", ""), "a folder that is there"


def test_a_folder_of_data_says_of_which_commit_it_is(tmp_path):
    assert hub_copies.commits(tmp_path) == ""
    for name, commit in (("a.parquet", COMMIT), ("data/b.parquet", COMMIT), ("c.json", NEWEST)):
        write_download_metadata(
            tmp_path, name, commit, "etag"
        )  # what `hf download --local-dir` does
    assert hub_copies.commits(tmp_path) == f"{COMMIT}, {NEWEST}"
    assert (
        pinning.loaded(f"benchmarks:{tmp_path.parent}", [tmp_path.name, "nothing"])["commits"][
            tmp_path.name
        ]
        == f"{COMMIT}, {NEWEST}"
    )
