"""Is a response a refusal, is it right, could that be decided at all: in this order.

This is the paper's hybrid evaluator (App. D.1): rules first, then a language model on what they
leave open. A failed or unreadable verdict is "unjudged": counted and shown, never guessed.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from inbol_lib.data.records import LETTERS
from inbol_lib.data.templates import prompt
from inbol_lib.judging.matching import matched
from inbol_lib.mllm import loading
from inbol_lib.mllm.attention import can_share
from inbol_lib.mllm.endpoints import PREFIX, Endpoint
from inbol_lib.mllm.sampling.texts import completed
from inbol_lib.progress import bar

Triple = tuple[str, str, str]  # question, gold answers joined by "; ", response

#: Judges of this name are packaged. They are trained on the two-way prompt (right or not).
PACKAGED = "micro-"
#: What stands for the gold answer of a question that has none.
UNANSWERABLE = "(none: the question can not be answered)"
#: Tokens that a judge may use: a word, and the head of an explanation.
TOKENS = {2: 3, 3: 8}

_TWO = re.compile(
    r"[\W_]*(?:(yes|yeah)|no|nope)(?=[\W_]*$|[\W_]*[,.;:!\n-])(?!.*\b(?:yes|no)\b)", re.S
)
_THREE = re.compile(
    r"[\W_]*(?:verdict\W{1,4})?(declines|right|wrong)(?=[\W_]*$|[\W_]{0,3}[,.;:!\n]"
    r"|[*_]{0,2}\s+-\s)"
    r"(?!.*\b(?:declines|right|wrong)\b)",
    re.S,
)
_OUTCOMES = {"declines": "refusal", "right": "correct", "wrong": "incorrect"}


def ways(judge: str) -> int:
    """How many verdicts a judge knows: 2 (right or not) for a packaged one, else 3."""
    return 2 if judge.startswith(PACKAGED) else 3


def judge_prompt(question: str, gold: str, response: str, ways: int = 2) -> str:
    """Return the prompt for one response.

    Parameters
    ----------
    question, gold, response : str
        What was asked, the gold answers joined by "; ", what was answered.
    ways : {2, 3}
        Right or not (prompts/judge.txt; the paper's Fig. 6 is lost, so the wording is ours), or
        declines, right or wrong (prompts/judge_three_way.txt; ours).
    """
    name = "judge" if ways == 2 else "judge_three_way"
    return prompt(name).format(question=question, gold=gold, response=response)


def parse_verdict(text: str) -> bool | None:
    """Return a two-way verdict, read strictly.

    Returns
    -------
    bool or None
        True for yes (yeah), False for no (nope), alone or at the head of an explanation ("Yes, both
        ...") and without the other word behind it. None for anything else: "no idea", "yes or no".
    """
    said = _TWO.match(text.lower())
    return said and bool(said[1])


def parse_three_way(text: str) -> str:
    """Return a three-way verdict, read strictly.

    Returns
    -------
    str
        "refusal", "correct" or "incorrect" for exactly one of the words declines, right and wrong,
        alone or at the head of an explanation; else "unjudged".
    """
    said = _THREE.match(text.lower())
    return _OUTCOMES[said[1]] if said else "unjudged"


def _outcome(text: str, ways: int) -> str:
    """Return the outcome word of a judge's reply."""
    if ways == 3:
        return parse_three_way(text)
    return {True: "correct", False: "incorrect", None: "unjudged"}[parse_verdict(text)]


@cache
def _local(judge: str) -> Callable[[list[str], list[tuple[str, str]]], list[str]]:
    """Greedy completions by a causal language model: packaged, a folder or a Hugging Face id.

    The function takes prompts, and for each the question and gold answer that it is about.
    """
    tokenizer = AutoTokenizer.from_pretrained(loading.resolve(judge), padding_side="left")
    if tokenizer.pad_token is None:  # Llama-2 has none; under the mask its choice does not matter
        tokenizer.pad_token = tokenizer.eos_token
    where = loading.placement()
    model = AutoModelForCausalLM.from_pretrained(loading.resolve(judge), dtype=where["dtype"])
    model = model.to(where["device"]).eval()
    tokens = TOKENS[ways(judge)]
    special = not tokenizer.chat_template

    @torch.inference_mode()
    def complete(prompts: list[str], asked: list[tuple[str, str]]) -> list[str]:
        if tokenizer.chat_template:
            chats = [[{"role": "user", "content": text}] for text in prompts]
            prompts = [
                tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
                for chat in chats
            ]
        if can_share(model):
            ids = tokenizer(prompts, add_special_tokens=special).input_ids
            return completed(model, tokenizer, ids, asked, tokens)
        batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=special)
        out = model.generate(**batch.to(model.device), max_new_tokens=tokens, do_sample=False)
        return tokenizer.batch_decode(
            out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True
        )

    return complete


def llm_verdicts(triples: Sequence[Triple], judge: str, batch_size: int = 256) -> dict[Triple, str]:
    """Return what a language model says about responses.

    Parameters
    ----------
    triples : sequence of (question, gold, response)
        Each distinct one is asked once.
    judge : str
        A packaged judge, a model id or "endpoint:<model>".
    batch_size : int
        Prompts at once for a model on this machine.

    Returns
    -------
    dict
        Triple -> "correct", "incorrect", "unjudged", and by a three-way judge "refusal".
    """
    # Responses to one question stand together, questions of similar length near each other.
    unique, known = sorted(set(triples), key=lambda t: (len(t[0] + t[1]), t)), ways(judge)
    prompts = [judge_prompt(*triple, ways=known) for triple in unique]
    if judge.startswith(PREFIX):
        said = Endpoint(judge).ask(prompts, temperature=0, max_tokens=TOKENS[known])
        texts = [text or "" for (text,) in said]
    else:
        complete, texts = _local(judge), []
        starts = range(0, len(prompts), batch_size)
        for start in bar("judging", "batch", len(starts), starts):
            part = slice(start, start + batch_size)
            texts += complete(prompts[part], [triple[:2] for triple in unique[part]])
    return {t: _outcome(text, known) for t, text in zip(unique, texts, strict=True)}


def _triple(row: dict, response: str) -> Triple:
    """Return what a judge is asked about a row's response, with its options where it has some."""
    options = (f"{letter}. {text}" for letter, text in zip(LETTERS, row["choices"], strict=False))
    gold = "; ".join(row["answers"]) or UNANSWERABLE
    return "\n".join([row["question"], *options]), gold, response


def _is_open(row: dict, word: str, judge: str) -> bool:
    """Whether a judge is asked: a two-way judge only about open questions that have an answer."""
    if word not in ("", "unjudged"):
        return False
    return ways(judge) == 3 or bool(row["answers"] and not row["choices"])


def _matched_once(pairs: Sequence[tuple[dict, str | None]], rule: str) -> list[str | None]:
    """Return what the rules say of each response, None where there is none.

    Samples of one question are often equal; each text is read once for a row.
    """
    known: dict[tuple[int, str], str] = {}
    words: list[str | None] = []
    for row, said in pairs:
        if said is not None and (id(row), said) not in known:
            known[id(row), said] = matched(row, said, rule)
        words.append(None if said is None else known[id(row), said])
    return words


def judge(
    rows: Sequence[dict], responses: Sequence[str | None], judge: str, rule: str = "final"
) -> list[str]:
    """Return the outcome of each row's response.

    The judge is asked about what the rules leave open: open answers in other words, long responses
    that hold a gold answer but not where they answer, options that could not be read, and inability
    stated beside something like an answer (the last two only if it is a three-way judge).

    Parameters
    ----------
    rows : sequence of dict
        `question`, `answers` (none for an unanswerable question), `choices` (none for an open one).
    responses : sequence of str or None
        None where an endpoint failed to give one: unjudged.
    judge : str
        "string" for the rules alone, which take what they leave open as incorrect; else a packaged
        judge, a model id or "endpoint:<model>".
    rule : {"final", "paper"}
        Where a gold answer is looked for, see `inbol_lib.judging.matching.string_match`.

    Returns
    -------
    list of str
        "refusal", "correct", "incorrect" or "unjudged". An unanswerable question is never answered
        right, whatever a judge says.
    """
    pairs = list(zip(rows, responses, strict=True))
    words = _matched_once(pairs, rule)
    asked = {
        i: _triple(row, said)
        for i, (row, said) in enumerate(pairs)
        if words[i] is not None and judge != "string" and _is_open(row, words[i], judge)
    }
    verdicts = llm_verdicts(list(asked.values()), judge) if asked else {}
    for i, triple in asked.items():
        wrongly = verdicts[triple] == "correct" and not pairs[i][0]["answers"]
        words[i] = "incorrect" if wrongly else verdicts[triple]
    return ["unjudged" if word is None else word or "incorrect" for word in words]
