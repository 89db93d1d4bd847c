"""Other families of vision-language models, tiny, taught for seconds, saved as folders and loaded as any model is: each goes through
sampling, IDK-IT and CA-DPO, and through the notebooks 01 to 06.

SmolVLM-256M is an Idefics3; its pictures become tiles. LLaVA-NeXT's have as many tokens as their shape wants. Qwen2.5-VL counts positions
inside a picture, so its cache can not be shared and its responses can not be packed."""

import copy
import json
import os
from importlib.util import find_spec

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset
from papermill.engines import Engine, papermill_engines
from peft import PeftModel, get_peft_model
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    Idefics3Config,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
    LlavaNextConfig,
    LlavaNextImageProcessorPil,
    LlavaNextProcessor,
    PaddleOCRVLProcessor,
    Qwen2_5_VLConfig,
    Qwen2VLImageProcessorPil,
)

from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.micro import world
from inbol_lib.micro.models.architecture import CHAT_TEMPLATE, train_tokenizer
from inbol_lib.mllm import chat, loading, sampling
from inbol_lib.study import run
from inbol_lib.training import (
    ca_dpo,
    collating,
    idk_it,
    lora,
    packing,
    preference_loss,
)

SIZES = [(48, 48), (64, 40), (30, 90), (96, 40)]  # width, height in pixels
#: Counted by hand. LLaVA-NeXT: 16 of the whole, and a row's end each, e. g. 16 + 8 x 8 + 8. Idefics3: 4 a tile, 2 x 2 or 2 tiles and the
#: whole. Qwen: squares of 16 pixels.
IMAGE_TOKENS = {
    "llava_next": [88, 70, 40, 52],
    "idefics3": [20, 20, 12, 12],
    "qwen2_5_vl": [9, 8, 12, 12],
}
WIDE = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
SIGHT = {**WIDE, "image_size": 32, "patch_size": 8}


def tokenizer_with(*marks):
    texts = [*REFUSAL_TEMPLATES, "USER: What color is the circle? ASSISTANT: red green blue"] * 3
    tokenizer = train_tokenizer(texts, 400)
    tokenizer.add_special_tokens({"additional_special_tokens": list(marks)})
    return tokenizer


def decoder(tokenizer):
    special = {f"{k}_token_id": getattr(tokenizer, f"{k}_token_id") for k in ("bos", "eos", "pad")}
    return {
        **WIDE,
        **special,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "vocab_size": len(tokenizer),
        "tie_word_embeddings": False,
    }


def llava_next():
    tokenizer, grid = tokenizer_with(), [[32, 64], [64, 32], [64, 64]]
    edge = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    processor = LlavaNextProcessor(
        LlavaNextImageProcessorPil(**edge, image_grid_pinpoints=grid), tokenizer, patch_size=8, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=CHAT_TEMPLATE,
    )  # fmt: skip
    vision = {
        "model_type": "clip_vision_model",
        **SIGHT,
        "num_hidden_layers": 3,
        "projection_dim": 32,
    }
    config = LlavaNextConfig(
        vision_config=vision, text_config={"model_type": "llama", **decoder(tokenizer)}, image_grid_pinpoints=grid,
        image_token_index=processor.image_token_id, image_seq_length=16, tie_word_embeddings=False,
    )  # fmt: skip
    return config, processor


def idefics3():
    places = [f"<row_{i}_col_{j}>" for i in range(1, 7) for j in range(1, 7)]
    tokenizer = tokenizer_with(
        "<fake_token_around_image>", "<end_of_utterance>", "<global-img>", *places
    )
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    processor = Idefics3Processor(pictures, tokenizer, image_seq_len=4, chat_template=CHAT_TEMPLATE)
    config = Idefics3Config(
        vision_config={**SIGHT, "num_hidden_layers": 2}, text_config={"model_type": "llama", **decoder(tokenizer)}, scale_factor=2,
        image_token_id=processor.image_token_id, pad_token_id=tokenizer.pad_token_id, tie_word_embeddings=False,
    )  # fmt: skip
    return config, processor


def qwen2_5_vl():
    marks = {
        "image": "<|image_pad|>",
        "video": "<|video_pad|>",
        "vision_start": "<|vision_start|>",
        "vision_end": "<|vision_end|>",
    }
    tokenizer = tokenizer_with(*marks.values())
    tokenizer.image_token, tokenizer.image_token_id = (
        marks["image"],
        tokenizer.convert_tokens_to_ids(marks["image"]),
    )
    pictures = Qwen2VLImageProcessorPil(
        patch_size=8, merge_size=2, size={"shortest_edge": 16 * 16, "longest_edge": 64 * 64}
    )
    template = CHAT_TEMPLATE.replace("<image>\n", "<|vision_start|><|image_pad|><|vision_end|>")
    # The family's own class reads videos too, which takes torchvision; this one does the same to pictures.
    processor = PaddleOCRVLProcessor(pictures, tokenizer, chat_template=template)
    rope = {
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    }
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": 8, "window_size": 32,
              "out_hidden_size": 32, "fullatt_block_indexes": [1]}  # fmt: skip
    config = Qwen2_5_VLConfig(
        text_config={**decoder(tokenizer), **rope}, vision_config=vision, tie_word_embeddings=False,
        **{f"{name}_token_id": tokenizer.convert_tokens_to_ids(mark) for name, mark in marks.items()},
    )  # fmt: skip
    return config, processor


MAKERS = {"llava_next": llava_next, "idefics3": idefics3, "qwen2_5_vl": qwen2_5_vl}


def taught(config, processor):
    """A model that has met 128 questions of the micro world ten times, so that it is right about some: their answers' frequencies."""
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config).train()
    asked = world.questions("vqav2", "train", 128, seed=1)
    columns = {
        "image": asked["image"],
        "prompt": asked["question"],
        "response": [answers[0] for answers in asked["answers"]],
    }
    items = collating.examples(processor, rows := Dataset.from_dict(columns))
    batches = [
        collating.Collator(items, rows, processor).read(list(range(i, i + 16)))
        for i in range(0, 128, 16)
    ]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for batch in batches * 10:
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


@pytest.fixture(scope="module", params=MAKERS)
def saved(request, tmp_path_factory):
    """(name, folder): a family's taught model and its processor in the Hugging Face format."""
    config, processor = MAKERS[request.param]()
    folder = tmp_path_factory.mktemp("families") / request.param
    taught(config, processor).save_pretrained(folder)
    processor.save_pretrained(folder)
    return request.param, folder


@pytest.fixture(scope="module")
def family(saved):
    """(name, a function that loads the model sharpened, processor)"""
    name, folder = saved
    _, processor = loading.load(str(folder), device="cpu")

    def fresh():
        model, _ = loading.load(str(folder), device="cpu")
        with torch.no_grad():  # sharp enough that places matter and rounding never changes a choice
            model.get_output_embeddings().weight.mul_(20)
            for name in loading.language_model_linear_names(model):
                model.get_submodule(name).weight.mul_(
                    10 if name.endswith(("q_proj", "k_proj")) else 1
                )
        return model

    return name, fresh, processor


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    images = [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in SIZES * 2
    ]
    said = {
        "correct": ["red"] * 8,
        "incorrect": ["a green box", "no"] * 4,
        "refusal": list(REFUSAL_TEMPLATES[:8]),
    }
    kinds = {
        "kind": ["mixed", "known", "unknown", "mixed"] * 2,
        "confidence": [0.4, 1.0, 0.0, 0.7] * 2,
    }
    prompts = ["What color is the circle?" + " red" * i for i in range(8)]
    return Dataset.from_dict(
        {"image": images, "prompt": prompts, "response": said["refusal"], **kinds, **said}
    )


def alone(model, processor, row, response):
    """Log-probability of each token of a response (and EOS) behind its prompt as `chat.encode` makes it, in a batch of one."""
    batch = dict(chat.encode(processor, [row["image"]], [row["prompt"]]))
    answer = torch.tensor([collating.response_ids(processor, response)])
    batch["input_ids"] = torch.cat([batch["input_ids"], answer], 1)
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    if "mm_token_type_ids" in batch:
        batch["mm_token_type_ids"] = torch.cat(
            [batch["mm_token_type_ids"], torch.zeros_like(answer)], 1
        )
    with torch.no_grad():
        logits = model(**batch).logits[0, -answer.shape[1] - 1 : -1]
    return torch.log_softmax(logits, -1).gather(1, answer.T)[:, 0]


def test_prompts_are_left_padded_with_bos_and_every_image_token(family, rows):
    name, _, processor = family
    loading.check_tokens(processor)
    batch, tokenizer = chat.encode(processor, rows["image"], rows["prompt"]), processor.tokenizer
    ids, mask = batch["input_ids"], batch["attention_mask"]
    assert mask[:, -1].all()
    assert len(set(mask.sum(1).tolist())) > 1
    assert (ids[mask == 0] == tokenizer.pad_token_id).all()
    assert all(
        row[seen == 1][0] == tokenizer.bos_token_id for row, seen in zip(ids, mask, strict=True)
    )
    assert not (ids == tokenizer.eos_token_id).any()
    assert (ids == chat.image_token_id(processor)).sum(1).tolist() == IMAGE_TOKENS[name] * 2


def test_lora_touches_the_language_model_alone(family):
    _, fresh, _ = family
    names = loading.language_model_linear_names(fresh())
    assert len(names) == 2 * 7
    assert not [
        n
        for n in names
        if any(word in n for word in ("vision", "visual", "projector", "connector"))
    ]


def test_sampling_is_generate_s_and_no_batch_changes_a_response(family, rows, recwarn):
    name, fresh, processor = family
    model, images, texts = fresh(), list(rows["image"]), list(rows["prompt"])
    said = sampling.greedy(model, processor, images, texts, 6, 2048)
    for image, text, response in zip(images[2:4], texts[2:4], said[2:4], strict=True):
        batch = chat.encode(processor, [image], [text])
        out = model.generate(**batch, do_sample=False, max_new_tokens=6)[
            :, batch["input_ids"].shape[1] :
        ]
        assert response == processor.tokenizer.decode(out[0], skip_special_tokens=True).strip()
    asked = [str(i) for i in range(8)]
    drawn = sampling.sample(model, processor, images, texts, 3, 1.0, 1.0, 6, 4096, ids=asked)
    part = sampling.sample(
        model, processor, images[5:7], texts[5:7], 3, 1.0, 1.0, 6, 100, ids=asked[5:7]
    )
    assert [[r.text for r in said] for said in part] == [
        [r.text for r in said] for said in drawn[5:7]
    ]
    assert any("cache can not be shared" in str(w.message) for w in recwarn) == (
        name == "qwen2_5_vl"
    )


def test_idk_it_learns_from_the_prompt_that_is_sampled_from(family, rows, tmp_path, smoke):
    _, fresh, processor = family
    model = fresh()
    expected = torch.cat([alone(model, processor, row, row["response"]) for row in rows])
    history = idk_it.train(smoke.replace(batch_size=8), fresh(), processor, rows, tmp_path)
    assert history.loss[0] == pytest.approx(-expected.mean().item(), rel=1e-4)
    tuned = PeftModel.from_pretrained(fresh(), tmp_path / "adapter")
    adapted = {
        n.split(".lora_")[0].removeprefix("base_model.model.")
        for n, _ in tuned.named_parameters()
        if ".lora_" in n
    }
    assert adapted == set(loading.language_model_linear_names(model))


@pytest.mark.parametrize("packed", [True, False])
def test_responses_are_read_as_alone_whether_packed_or_not(family, rows, packed):
    name, fresh, processor = family
    model = fresh()
    collator = (packing.PackingCollator if packed else packing.RowCollator)(
        ca_dpo.items(processor, rows), rows, processor
    )
    if packed and name == "qwen2_5_vl":
        with pytest.raises(ValueError, match="or take one of another family"):
            packing.check_packing(model, collator)
        return
    packing.check_packing(model, collator)
    with torch.no_grad():
        found = packing.response_logps(model, collator.read(list(range(8))))
    for row, logps in zip(rows, found, strict=True):
        needed = preference_loss.NEEDED[row["kind"]]
        assert [k for k in range(3) if logps[k]] == needed
        for k in needed:
            assert logps[k].item() == pytest.approx(
                alone(model, processor, row, row[packing.RESPONSES[k]]).sum().item(), rel=1e-4
            )


def losses(fresh, processor, rows, p, folder, monkeypatch):
    """Of CA-DPO as the family is read, and with a row for each response; parts of a batch included."""
    get_peft_model(fresh(), lora.lora_config(p, fresh())).save_pretrained(folder / "start")
    for number, share in enumerate((packing.can_share, lambda *_: False)):
        monkeypatch.setattr(packing, "can_share", share)
        monkeypatch.setenv("INBOL_RUNS", str(folder / str(number)))  # a reference of its own
        yield ca_dpo.train(
            p, fresh(), processor, rows, folder / str(number), folder / "start"
        ).loss.tolist()


def test_ca_dpo_learns_the_same_packed_or_not(family, rows, tmp_path, smoke, monkeypatch, recwarn):
    """Qwen's responses are never packed, and it says so."""
    name, fresh, processor = family
    p = smoke.replace(batch_size=4, token_budget=700, epochs=2.0)
    first, second = losses(fresh, processor, rows, p, tmp_path, monkeypatch)
    assert first[0] == pytest.approx(np.log(2), rel=1e-4)
    assert second == pytest.approx(first, rel=1e-3)
    assert sum("cannot be packed" in str(w.message) for w in recwarn) == 1 + (name == "qwen2_5_vl")


def test_llava_learns_the_same_packed_or_not(tiny, rows, tmp_path, smoke, monkeypatch):
    """The one family whose pictures are kept from pass to pass."""
    model, processor, _ = tiny
    p = smoke.replace(batch_size=4, token_budget=700, epochs=2.0)
    first, second = losses(lambda: copy.deepcopy(model), processor, rows, p, tmp_path, monkeypatch)
    assert first[0] == pytest.approx(np.log(2), rel=1e-4)
    assert second == pytest.approx(first, rel=1e-4)


class Here(Engine):
    """Runs a notebook's cells in this process: a kernel's start would take longer than the stage. INBOL_KERNELS=1 starts kernels."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        scope = {}
        for cell in nb_man.nb.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, "cell", "exec"), scope)
        plt.close("all")


#: Classes fall short of what is wanted here (a known question is rare), and shrink to what is there.
SMALL = {
    "judge": "string", "verifier": "program", "sources": ["vqav2"], "ood_sources": ["aokvqa"], "ood_questions": 4,
    "train_questions": 80, "validation_questions": 24, "test_questions": 30, "num_samples": 4, "max_new_tokens": 12,
    "num_unanswerable": 8, "test_unanswerable": 2, "test_per_source": 8, "validation_per_source": 4, "delta_known": 0.7,
    "num_instructions": 24, "num_pairs": 24, "batch_size": 8, "learning_rate": 0.02, "dpo_learning_rate": 0.02, "epochs": 3.0,
    "methods": ["original", "ca_dpo"],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_notebooks_01_to_06_take_a_folder(saved, runs, monkeypatch, capsys):
    name, folder = saved
    plt.switch_backend("agg")
    if not os.environ.get("INBOL_KERNELS"):
        monkeypatch.setitem(papermill_engines._engines, None, Here)
    given = {**SMALL, "model": str(folder), "test_model": str(folder)}
    pairs = [word for key, value in given.items() for word in ("-p", key, json.dumps(value))]
    assert run.main(["06_evaluation", "-f", "smoke", *pairs, "--ensure"]) == 0
    stages = ("confidence", "unanswerable", "composition", "idk_it", "ca_dpo", "evaluation")
    made = {file.parts[-3]: json.loads(file.read_text()) for file in runs.glob("*/*/metrics.json")}
    assert sorted(made) == sorted(stages)
    kinds = made["composition"]["preferences"]
    assert min(kinds["known"], kinds["mixed"], kinds["unknown"]) > 0
    table = pd.read_parquet(next(runs.glob("evaluation/*/outcomes.parquet")))
    assert set(table.method) == {"original", "ca_dpo"}
    assert len(table) == 2 * made["evaluation"]["questions"]
    assert set(table.outcome) <= {"correct", "refusal", "incorrect"}
    assert (table[(table.method == "original") & table.answerable].outcome == "correct").any()


@pytest.mark.skipif(find_spec("torchvision") is not None, reason="torchvision is installed")
def test_what_qwen_s_own_processor_lacks_is_named(tmp_path):
    config, processor = qwen2_5_vl()
    for part in (config, processor.tokenizer, processor.image_processor):
        part.save_pretrained(tmp_path)
    (tmp_path / "processor_config.json").write_text('{"processor_class": "Qwen2_5_VLProcessor"}')
    with pytest.raises(ImportError, match="requires the Torchvision library"):
        loading.load(str(tmp_path))
