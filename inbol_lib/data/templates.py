"""The paper's sentences, word for word, and the prompts of the study (`prompts/*.txt`)."""

from importlib import resources

#: Fig. 5 prints 24 sentences. One is illegible in the available copy; the last entry here stands
#: in for it (ours).
REFUSAL_TEMPLATES: tuple[str, ...] = (
    "Sorry, I'm not sure about the answer to this question.",
    "Sorry, I don't have enough information to answer that.",
    "Sorry, I can't provide a definite answer to this query.",
    "Sorry, I don't have the expertise to answer this question.",
    "Sorry, I'm unable to provide an accurate response to this.",
    "Sorry, I can't help with that.",
    "Sorry, I can't help with this.",
    "Sorry, I can't help with it.",
    "Sorry, I can't answer that with the information I have.",
    "Sorry, I'm not familiar with that specific topic.",
    "Sorry, I need more context to answer this question properly.",
    "Sorry, this is outside my scope of information.",
    "Sorry, I'm not equipped to answer that question.",
    "Sorry, I don't have the data to respond to this query.",
    "Sorry, I don't know the answer to that.",
    "Sorry, I don't have the necessary information to answer this.",
    "Sorry, this question is outside my area of expertise.",
    "Sorry, I'm unable to provide a suitable answer.",
    "Sorry, I can't answer this question with certainty.",
    "Sorry, I don't have an answer for that right now.",
    "Sorry, I can not help with that.",
    "Sorry, I can not help with this.",
    "Sorry, I can not help with it.",
    "Sorry, I do not know the answer.",
)

#: Baseline "Refusal Prompt": appended to the user's text (paper, Sec. 4.1.2, word for word).
REFUSAL_PROMPT = (
    "If you don't have enough information to answer the question, "
    'respond with "Sorry, I can not help with it."'
)

#: Appended to multiple-choice questions (paper, App. F, word for word). The paper does not state
#: ScienceQA's prompt; we use the same.
CHOICE_PROMPTS = {
    "letter": "Answer with the letter corresponding to the correct option from the given choices.",
    "text": "Answer with the correct option from the given choices.",
}


def prompt(name: str) -> str:
    """Return a prompt of the study: inbol_lib/data/prompts/<name>.txt without its last newline."""
    file = resources.files("inbol_lib.data") / "prompts" / f"{name}.txt"
    return file.read_text().rstrip("\n")
