"""SmolVLM-256M (HuggingFaceTB/SmolVLM-256M-Instruct) in shape.

An Idefics3 of SigLIP-base and SmolLM2-135M, with random weights.
"""

import torch
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
)

TEXT = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "max_position_embeddings": 8192,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 100000.0},
}
VISION = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "patch_size": 16,
}
EDGE, SCALE = 512, 4  # of a tile, in pixels; 4 x 4 patches become one token
MARKS = [
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
    *(f"<row_{i}_col_{j}>" for i in range(1, 7) for j in range(1, 7)),
]


def processor(tokenizer, template: str, edge: int = EDGE, scale: int = SCALE) -> Idefics3Processor:
    """Pictures are enlarged to four tiles along their longer side, cut, and shown whole besides;
    left padding.
    """
    tokenizer.add_special_tokens({"additional_special_tokens": MARKS})
    tokenizer.padding_side = "left"
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": 4 * edge}, max_image_size={"longest_edge": edge}
    )
    return Idefics3Processor(
        pictures, tokenizer, image_seq_len=(edge // 16 // scale) ** 2, chat_template=template
    )


def model(
    read: Idefics3Processor, vocabulary: int = 49280, edge: int = EDGE, scale: int = SCALE, **vision
) -> Idefics3ForConditionalGeneration:
    """Random weights; `vision` changes the tower's size."""
    tokens = {
        f"{name}_token_id": getattr(read.tokenizer, f"{name}_token_id")
        for name in ("bos", "eos", "pad")
    }
    config = Idefics3Config(
        vision_config={**VISION, "image_size": edge, **vision},
        text_config={**TEXT, **tokens, "vocab_size": vocabulary},
        scale_factor=scale,
        image_token_id=read.image_token_id,
        pad_token_id=tokens["pad_token_id"],
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    made = Idefics3ForConditionalGeneration(config).eval()
    made.generation_config.eos_token_id, made.generation_config.pad_token_id = (
        tokens["eos_token_id"],
        tokens["pad_token_id"],
    )
    return made
