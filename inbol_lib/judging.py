"""Is a response a refusal, is it right, could that be decided at all: in this order (paper, App. D.1).

The paper's hybrid evaluator: string match first, then a language model on what did not match. A failed or unreadable
verdict is "unjudged": counted and shown, never guessed.
"""

import os
import re
from collections.abc import Callable, Sequence
from functools import cache

from inbol_lib.records import LETTERS, prompt

# --- refusal ----------------------------------------------------------------------------------------------------------

_CAN = r"(?:can(?:no|')?t|can\s+not|could(?:n't|\s+not)|(?:am|'m)\s+(?:unable|not\s+able|not\s+equipped)\s+to)"
_INABILITY = rf"""
    i \s+ (?:do\s+not|don't) \s+ (?:know|have)
  | i \s* {_CAN}
  | i \s* (?:am|'m) \s+ (?:not\s+(?:sure|certain|familiar)|unsure)
  | i \s+ need \s+ more
  | (?:this|that|it|(?:this|the)\s+question) \s+ (?:is|lies|falls) \s+ (?:outside|beyond) \s+ (?:of\s+)? my
  | (?:there\s+is|the\s+image|the\s+picture|it) \s+ (?:is\s+not|does\s+not|doesn't|isn't|not\s+enough|no\s+way) \s+
    (?:enough|provide|contain|show|possible|to\s+tell|clear\s+enough|information|hold)
  | not \s+ enough \s+ information
  | (?:no|insufficient) \s+ information
  | unanswerable \b
"""
_REFUSAL = re.compile(
    rf"^\W*(?:(?:i\s*(?:am|'m)\s+)?(?:very\s+|so\s+)?(?:sorry|apologi[sz]e|apologies)\b\W*(?:but\W*)?)?(?:{_INABILITY})", re.X | re.I
)
_APOLOGY = re.compile(r"^\W*(?:(?:i\s*(?:am|'m)\s+)?(?:very\s+|so\s+)?sorry)\b", re.I)
_ANSWERS_AFTER_ALL = re.compile(
    r"\b(?:but|however|though|although|still)\b[^.]*\b(?:it|this|that|they|the|there|probably|likely|i(?:\s+(?:think|guess|believe))?)\b"
    r"(?:\s+\w+){0,3}?\s+(?:is|are|was|were|says?|reads?|shows?|looks?|seems?|appears?|be)\b(?!\s+(?:not|no|outside|beyond))",
    re.I,
)


def _plain(text: str) -> str:
    return text.strip().replace("\u2019", "'").replace("\u2018", "'")


def is_refusal(text: str) -> bool:
    """Whether a response declines to answer. All 24 templates do; a hedge followed by an answer does not (ours)."""
    text = _plain(text)
    if _ANSWERS_AFTER_ALL.search(text):
        return False
    if _REFUSAL.match(text):
        return True
    return bool(_APOLOGY.match(text)) and bool(re.search(r"\b(?:not|no|can't|cannot|don't|unable|outside|beyond|without)\b", text, re.I))


# --- string match -----------------------------------------------------------------------------------------------------

_NUMBERS = {word: str(i) for i, word in enumerate(
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"])}  # fmt: skip
_LETTER = re.compile(r"^\W*(?:(?:the\s+)?(?:correct\s+)?(?:answer|option|choice)\s*(?:is|:)?\s*)?\(?([A-I])\)?(?:[.:),]|\s*$|\s+-)", re.I)
_NEGATION = re.compile(r"\b(?:not|isn't|never|neither)\b")


@cache
def normalise(text: str) -> str:
    """Lower case, numbers as digits, no articles, punctuation as spaces (decimal points and inner hyphens of numbers stay)."""
    text = _plain(text).lower()
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?!(?<=\d)\.(?=\d))[^\w\s']", " ", text)
    words = [_NUMBERS.get(w, w) for w in text.split()]
    return " ".join(w for w in words if w not in ("a", "an", "the"))


def contains(response: str, gold: str) -> bool:
    """Whether the gold answer stands in the response as whole words and is not negated right before it."""
    response, gold = normalise(response), normalise(gold)
    if not gold:
        return False
    for hit in re.finditer(rf"(?<![\w.]){re.escape(gold)}(?![\w]|\.\d)", response):
        before = response[: hit.start()].split()[-2:]
        if not _NEGATION.search(" ".join(before)):
            return True
    return False


def string_match(response: str, answers: Sequence[str], choices: Sequence[str] = ()) -> bool:
    """Right by string alone: some gold answer contained; for multiple choice the letter or the option's text.

    Yes/no golds look at the first yes or no in the response; a letter and a text that contradict each other are wrong.
    """
    if choices:
        return _choice_match(response, answers, choices)
    if {normalise(a) for a in answers} <= {"yes", "no"}:
        said = re.search(r"\b(yes|no)\b", normalise(response))
        return bool(said) and said.group(1) in {normalise(a) for a in answers}
    return any(contains(response, gold) for gold in answers)


def _choice_match(response: str, answers: Sequence[str], choices: Sequence[str]) -> bool:
    right = {i for i, c in enumerate(choices) if c in answers}
    letter = _LETTER.match(response.strip())
    lettered = {LETTERS.index(letter.group(1).upper())} if letter else set()
    named = {i for i, c in enumerate(choices) if contains(response, c)}
    if lettered and named and not lettered & named:
        return False
    said = lettered or named
    return len(said) == 1 and said <= right


# --- language model ---------------------------------------------------------------------------------------------------

Triple = tuple[str, str, str]  # question, gold answers joined by "; ", response


def judge_prompt(question: str, gold: str, response: str) -> str:
    """The judge's prompt (inbol_lib/prompts/judge.txt; the paper's Fig. 6 is lost, so the wording is ours)."""
    return prompt("judge").format(question=question, gold=gold, response=response)


def parse_verdict(text: str) -> bool | None:
    """yes -> True, no -> False, anything else -> None (strict: the first word alone counts)."""
    word = re.match(r"\W*(\w+)", text)
    return {"yes": True, "no": False}.get(word.group(1).lower()) if word else None


@cache
def _local(judge: str) -> Callable[[list[str]], list[str]]:
    """Greedy one-word completions by any causal language model: a packaged one, a folder or a Hugging Face id."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from inbol_lib.models import resolve

    tokenizer = AutoTokenizer.from_pretrained(resolve(judge), padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(resolve(judge)).eval()

    @torch.inference_mode()
    def complete(prompts: list[str]) -> list[str]:
        if tokenizer.chat_template:
            prompts = [tokenizer.apply_chat_template([{"role": "user", "content": p}], add_generation_prompt=True, tokenize=False)
                       for p in prompts]  # fmt: skip
        batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=not tokenizer.chat_template)
        out = model.generate(**batch.to(model.device), max_new_tokens=3, do_sample=False)
        return tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)

    return complete


def _endpoint(model: str) -> Callable[[list[str]], list[str]]:
    """Completions from an OpenAI-compatible server; OPENAI_BASE_URL and OPENAI_API_KEY come from the environment."""
    from concurrent.futures import ThreadPoolExecutor

    from openai import OpenAI, OpenAIError

    client = OpenAI(max_retries=5)

    def one(text: str) -> str:
        try:
            answer = client.chat.completions.create(model=model, temperature=0, max_tokens=3, messages=[{"role": "user", "content": text}])
        except OpenAIError:
            return ""  # unjudged
        return answer.choices[0].message.content or ""

    def complete(prompts: list[str]) -> list[str]:
        with ThreadPoolExecutor(int(os.environ.get("INBOL_CONCURRENCY", "8"))) as pool:
            return list(pool.map(one, prompts))

    return complete


def llm_verdicts(triples: Sequence[Triple], judge: str, batch_size: int = 256) -> dict[Triple, bool | None]:
    """Verdict of the language model `judge` on each distinct (question, gold, response)."""
    complete = _endpoint(judge.removeprefix("endpoint:")) if judge.startswith("endpoint:") else _local(judge)
    unique = sorted(set(triples), key=lambda t: (len("".join(t)), t))
    verdicts = {}
    for start in range(0, len(unique), batch_size):
        chunk = unique[start : start + batch_size]
        for triple, text in zip(chunk, complete([judge_prompt(*t) for t in chunk]), strict=True):
            verdicts[triple] = parse_verdict(text)
    return verdicts


# --- together ---------------------------------------------------------------------------------------------------------


def judge(rows: Sequence[dict], responses: Sequence[str], judge: str) -> list[str]:
    """Outcome word for each row's response: "refusal", "correct", "incorrect" or "unjudged".

    `judge` = "string" scores by string match alone; else it names the language model asked about open questions that did
    not match. An unanswerable question (no answers) is refused or answered incorrectly.
    """
    outcomes, doubtful = [], {}
    for i, (row, response) in enumerate(zip(rows, responses, strict=True)):
        if is_refusal(response):
            outcomes.append("refusal")
        elif row["answers"] and string_match(response, tuple(row["answers"]), tuple(row["choices"])):
            outcomes.append("correct")
        else:
            outcomes.append("incorrect")
            if row["answers"] and not row["choices"] and judge != "string":
                doubtful[i] = (row["question"], "; ".join(row["answers"]), response)
    verdicts = llm_verdicts(list(doubtful.values()), judge) if doubtful else {}
    words = {True: "correct", False: "incorrect", None: "unjudged"}
    for i, triple in doubtful.items():
        outcomes[i] = words[verdicts[triple]]
    return outcomes
