"""Whatever a model writes, reading it takes time in proportion to its length."""

import time

import pytest

from inbol_lib.judging import matching, normalising
from inbol_lib.judging.choices import chosen
from inbol_lib.judging.matching import contains, matched, says
from inbol_lib.judging.refusals import stance
from inbol_lib.judging.wording import unwrapped

LENGTH = 100_000
#: Words and marks that the patterns know, and what often makes patterns slow.
TOKENS = [
    "option ",
    "the ",
    "not ",
    "(",
    "\n",
    "1",
    "a",
    "answer is ",
    "A ",
    "A, ",
    "A\n",
    "A. b\n",
    "(A) ",
    "i can not ",
    "i ",
    "sorry ",
    "it is ",
    "so ",
    "but ",
    "there is no information ",
    "'",
    '"',
    ".",
    ". ",
    "- ",
    "<think>",
    "</think>",
    "<answer>",
    "**",
    "\\boxed{",
    "\\text{",
    "x^",
    "1,000 ",
    "0",
    "1.",
    "and ",
    "two hundred ",
    "no ",
    "yes/",
    "because ",
    "the image does not ",
    "which ",
    "however, ",
    "the answer to the question ",
    "could be a or ",
    "p.m. ",
    "U.S. ",
    "it's ",
    "'a ",
    "e\u0301",
    "\u200b",
    "if i ",
    "<b>",
    "is too ",
    "5km",
    "\u00b2",
    "i am unable to ",
    ":",
    " ",
    "[",
    "{",
    "$",
    "red ",
    "not red ",
]
OPTIONS = ["tea", "salt", "sea salt", "gold"]
READERS = {
    "stance": stance,
    "chosen": lambda text: chosen(text, OPTIONS, contains),
    "contains": lambda text: contains(text, "red"),
    "says": says,
    "unwrapped": unwrapped,
    "open": lambda text: matched({"answers": ["red"], "choices": []}, text),
    "options": lambda text: matched({"answers": ["salt"], "choices": OPTIONS}, text),
}


def seconds(reader, text):
    """Time of a first reading: nothing is remembered."""
    normalising.normalise.cache_clear()
    matching._clauses.cache_clear()
    start = time.process_time()
    reader(text)
    return time.process_time() - start


@pytest.mark.parametrize("token", TOKENS)
def test_a_hundred_thousand_characters_are_read_at_once(token):
    """A reading with some hundred patterns stays below a second; quadratic ones take minutes."""
    for end in ("", "z"):
        text = token * (LENGTH // len(token)) + end
        for name, reader in READERS.items():
            taken = seconds(reader, text)
            if taken >= 1:  # another process may have had the core
                taken = min(taken, seconds(reader, text))
            assert taken < 1, f"{name} takes {taken:.2f} s"


@pytest.mark.parametrize("token", ["option ", "answer ", "choice ", "A or ", "it is "])
def test_a_few_words_are_no_puzzle(token):
    for count in (24, 200):
        assert seconds(READERS["options"], token * count) < 0.05
