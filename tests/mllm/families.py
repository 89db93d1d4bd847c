"""Other families of vision-language models: tiny, taught for seconds, saved as folders.

Each is loaded as any model is, and goes through sampling, IDK-IT, CA-DPO and notebooks 01 to 06.
SmolVLM-256M is an Idefics3: its pictures become tiles. LLaVA-NeXT's pictures have as many tokens as
their shape wants. Qwen2.5-VL counts positions inside a picture, so its cache cannot be shared and
its responses cannot be packed.
"""

import torch
from datasets import Dataset
from peft import get_peft_model
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
from inbol_lib.mllm import chat
from inbol_lib.training import ca_dpo, collating, lora, packing

SIZES = [(48, 48), (64, 40), (30, 90), (96, 40)]  # width, height in pixels


#: Counted by hand. LLaVA-NeXT: 16 for the whole picture and one for each row's end, such as
#: 16 + 8 x 8 + 8. Idefics3: 4 a tile, with 2 x 2 or 2 tiles and the whole. Qwen: squares of 16
#: pixels.
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
        LlavaNextImageProcessorPil(**edge, image_grid_pinpoints=grid),
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
    vision = {
        "model_type": "clip_vision_model",
        **SIGHT,
        "num_hidden_layers": 3,
        "projection_dim": 32,
    }
    config = LlavaNextConfig(
        vision_config=vision,
        text_config={"model_type": "llama", **decoder(tokenizer)},
        image_grid_pinpoints=grid,
        image_token_index=processor.image_token_id,
        image_seq_length=16,
        tie_word_embeddings=False,
    )
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
        vision_config={**SIGHT, "num_hidden_layers": 2},
        text_config={"model_type": "llama", **decoder(tokenizer)},
        scale_factor=2,
        image_token_id=processor.image_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
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
    # The family's own class reads videos too, which takes torchvision; this one treats pictures
    # alike.
    processor = PaddleOCRVLProcessor(pictures, tokenizer, chat_template=template)
    rope = {
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}
    }
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "patch_size": 8,
        "window_size": 32,
        "out_hidden_size": 32,
        "fullatt_block_indexes": [1],
    }
    config = Qwen2_5_VLConfig(
        text_config={**decoder(tokenizer), **rope},
        vision_config=vision,
        tie_word_embeddings=False,
        **{
            f"{name}_token_id": tokenizer.convert_tokens_to_ids(mark)
            for name, mark in marks.items()
        },
    )
    return config, processor


MAKERS = {"llava_next": llava_next, "idefics3": idefics3, "qwen2_5_vl": qwen2_5_vl}


def taught(config, processor):
    """A model that has met 128 questions of the micro world 16 times, so that it is right about
    some: their answers' frequencies.
    """
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
    for batch in batches * 16:
        loss = model(**batch).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


def alone(model, processor, row, response):
    """Log-probability of each token of a response (and EOS) behind its prompt as `chat.encode`
    makes it, in a batch of one.
    """
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


def losses(fresh, processor, rows, p, folder, monkeypatch):
    """Of CA-DPO as the family is read, and with a row for each response; parts of a batch
    included.
    """
    get_peft_model(fresh(), lora.lora_config(p, fresh())).save_pretrained(folder / "start")
    for number, share in enumerate((packing.can_share, lambda *_: False)):
        monkeypatch.setattr(packing, "can_share", share)
        monkeypatch.setenv("INBOL_RUNS", str(folder / str(number)))  # a reference of its own
        yield ca_dpo.train(
            p, fresh(), processor, rows, folder / str(number), folder / "start"
        ).loss.tolist()


#: Classes fall short of what is wanted here (known questions are rare), and shrink.
SMALL = {
    "judge": "string",
    "verifier": "program",
    "sources": ["vqav2"],
    "ood_sources": ["aokvqa"],
    "ood_questions": 4,
    "train_questions": 240,
    "validation_questions": 24,
    "test_questions": 60,
    "num_samples": 4,
    "max_new_tokens": 12,
    "num_unanswerable": 8,
    "test_unanswerable": 2,
    "test_per_source": 8,
    "validation_per_source": 4,
    "delta_known": 0.7,
    "num_instructions": 24,
    "num_pairs": 24,
    "batch_size": 8,
    "learning_rate": 0.02,
    "dpo_learning_rate": 0.02,
    "epochs": 3.0,
    "methods": ["original", "ca_dpo"],
}
