"""Is a response a refusal, is it right, could that be decided at all: in this order (paper, App. D.1).

The paper's hybrid evaluator: string match first, then a language model on what did not match. A failed or unreadable
verdict is "unjudged": counted and shown, never guessed.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

import torch
from tqdm import trange
from transformers import AutoModelForCausalLM, AutoTokenizer

from inbol_lib.data.templates import prompt
from inbol_lib.judging.matching import matched
from inbol_lib.mllm import loading
from inbol_lib.mllm.endpoints import PREFIX, Endpoint
from inbol_lib.progress import progress

Triple = tuple[str, str, str]  # question, gold answers joined by "; ", response


def judge_prompt(question: str, gold: str, response: str) -> str:
    """The judge's prompt (inbol_lib/prompts/judge.txt; the paper's Fig. 6 is lost, so the wording is ours)."""
    return prompt("judge").format(question=question, gold=gold, response=response)


def parse_verdict(text: str) -> bool | None:
    """yes (yeah) -> True, no (nope) -> False, anything else -> None: strict, so that "no idea" and "yes or no" are no verdicts.

    Alone or at the head of an explanation ("Yes, both ..."), and without the other word behind it.
    """
    said = re.match(
        r"[\W_]*(?:(yes|yeah)|no|nope)(?=[\W_]*$|[\W_]*[,.;:!\n-])(?!.*\b(?:yes|no)\b)",
        text.lower(),
        re.S,
    )
    return said and bool(said[1])


@cache
def _local(judge: str) -> Callable[[list[str]], list[str]]:
    """Greedy one-word completions by any causal language model: a packaged one, a folder or a Hugging Face id."""
    tokenizer = AutoTokenizer.from_pretrained(loading.resolve(judge), padding_side="left")
    if (
        tokenizer.pad_token is None
    ):  # Llama-2 has none; under the attention mask its choice does not matter
        tokenizer.pad_token = tokenizer.eos_token
    where = loading.placement()
    model = (
        AutoModelForCausalLM.from_pretrained(loading.resolve(judge), dtype=where["dtype"])
        .to(where["device"])
        .eval()
    )

    @torch.inference_mode()
    def complete(prompts: list[str]) -> list[str]:
        if tokenizer.chat_template:
            prompts = [tokenizer.apply_chat_template([{"role": "user", "content": p}], add_generation_prompt=True, tokenize=False)
                       for p in prompts]  # fmt: skip
        batch = tokenizer(
            prompts,
            return_tensors="pt",
            padding=True,
            add_special_tokens=not tokenizer.chat_template,
        )
        out = model.generate(**batch.to(model.device), max_new_tokens=3, do_sample=False)
        return tokenizer.batch_decode(
            out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True
        )

    return complete


def llm_verdicts(triples: Sequence[Triple], judge: str, batch_size: int = 256) -> dict[Triple, str]:
    """Outcome of each distinct (question, gold, response), as the language model `judge` sees it."""
    unique = sorted(set(triples), key=lambda t: (len("".join(t)), t))
    if judge.startswith(PREFIX):
        said = Endpoint(judge).ask([judge_prompt(*t) for t in unique], temperature=0, max_tokens=3)
        return {triple: _outcome(text or "") for triple, (text,) in zip(unique, said, strict=True)}
    complete, verdicts = _local(judge), {}
    for start in trange(
        0, len(unique), batch_size, desc="judging", unit="batch", disable=not progress()
    ):
        chunk = unique[start : start + batch_size]
        for triple, text in zip(chunk, complete([judge_prompt(*t) for t in chunk]), strict=True):
            verdicts[triple] = _outcome(text)
    return verdicts


def _outcome(text: str) -> str:
    return {True: "correct", False: "incorrect", None: "unjudged"}[parse_verdict(text)]


def judge(rows: Sequence[dict], responses: Sequence[str | None], judge: str) -> list[str]:
    """Outcome word for each row's response: "refusal", "correct", "incorrect" or "unjudged".

    Open questions that no rule decides are asked of the language model `judge`; "string" has none and takes them as incorrect.
    A response that an endpoint failed to give (None) is unjudged.
    """
    words = [
        "unjudged" if response is None else matched(row, response)
        for row, response in zip(rows, responses, strict=True)
    ]
    triples = [
        (row["question"], "; ".join(row["answers"]), response or "")
        for row, response in zip(rows, responses, strict=True)
    ]
    if judge == "string" or all(words):
        return [word or "incorrect" for word in words]
    verdicts = llm_verdicts(
        [triple for word, triple in zip(words, triples, strict=True) if not word], judge
    )
    return [word or verdicts[triple] for word, triple in zip(words, triples, strict=True)]
