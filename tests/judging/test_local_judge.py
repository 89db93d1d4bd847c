"""Each distinct response is judged once, and prompts that begin alike are read together."""

from transformers import AutoModelForCausalLM, AutoTokenizer

from inbol_lib.judging import hybrid
from inbol_lib.mllm import loading


def test_the_packaged_judge_replies_as_generate_does():
    """Prompts that begin alike are read together; the replies are those of each alone."""
    tokenizer = AutoTokenizer.from_pretrained(loading.resolve("micro-judge"), padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(loading.resolve("micro-judge")).eval()
    asked = [
        (f"What color is the {shape}?", gold, said)
        for shape, gold in (("star", "red"), ("big heart", "teal"))
        for said in ("red", "a red one", "crimson", "teal", "blue-green", "")
    ]
    prompts = [hybrid.judge_prompt(*triple) for triple in asked]
    together = hybrid._local("micro-judge")(prompts, [triple[:2] for triple in asked])
    for prompt, reply in zip(prompts, together, strict=True):
        ids = tokenizer(prompt, return_tensors="pt")
        out = model.generate(**ids, max_new_tokens=hybrid.TOKENS[2], do_sample=False)
        new = out[0, ids["input_ids"].shape[1] :]
        assert reply == tokenizer.decode(new, skip_special_tokens=True)
    assert {reply.strip() for reply in together} == {"yes", "no"}


def test_a_text_is_matched_once_for_a_row(monkeypatch):
    read = []
    monkeypatch.setattr(hybrid, "matched", lambda row, said, rule: read.append(said) or "correct")
    rows = [{"question": "?", "answers": ["red"], "choices": []} for _ in range(2)]
    given = [rows[0], rows[0], rows[1], rows[0]]
    said = ["red", "red", "red", None]
    assert hybrid.judge(given, said, "string") == ["correct"] * 3 + ["unjudged"]
    assert read == ["red", "red"]
