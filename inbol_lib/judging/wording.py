"""The words of a response: plain characters, wrappers off, long forms, sentences (ours).

Models wrap what they say: in reasoning blocks, chat-template tokens, role labels, tags, Markdown
and LaTeX. All of this comes off before anybody asks what the response says. Every step is linear.
"""

import re
import unicodedata

#: Longest text that a rule reads, in characters: of a longer one, the beginning and the end.
LONGEST = 16_000

_APOSTROPHES = "\u2019\u2018\u201b\u02bc\u2032\u00b4\u055a\u02b9\ua78c\u05f3"
_PLAIN = str.maketrans(
    dict.fromkeys(_APOSTROPHES, "'")
    | {"\u2013": "-", "\u2010": "-", "\u2011": "-", "\u2014": " - ", "\u2212": "-", "\u2044": "/"}
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"')
)
_SUPERSCRIPT = re.compile(r"(?<=\w)[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+")
_THIN_GROUP = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")


def plain(text: str) -> str:
    """Return the same text in plain characters.

    Apostrophes, quotation marks and dashes become ASCII, compatibility characters their usual
    form, invisible ones go, thin spaces between groups of digits go. "10\u2075" becomes 10^5.

    Returns
    -------
    str
        Without space around it.
    """
    if text.isascii():
        return re.sub(r"(?<=[a-z])`(?=[a-z])", "'", text, flags=re.I).strip()
    text = _SUPERSCRIPT.sub(lambda found: "^" + found[0], _THIN_GROUP.sub("", text))
    text = text.translate(_PLAIN)  # before NFKC, which turns a lone acute accent into a space
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return re.sub(r"(?<=[a-z])`(?=[a-z])", "'", text, flags=re.I).strip()


#: What closes a model's reasoning, and what opens it.
_REASONED = (
    "</think>",
    "</thinking>",
    "</reasoning>",
    "[/think]",
    "\u25c1/think\u25b7",
    "<|channel|>final<|message|>",
)
_REASONING = ("<think>", "<thinking>", "<reasoning>", "[think]", "\u25c1think\u25b7")
#: Tags around the answer that a prompt asked for; the last filled one is the response.
_ANSWER_TAGS = ("answer", "conclusion", "final_answer", "final")
_START_TOKEN = re.compile(
    r"<\|(?:im_start|start_header_id|assistant|begin_of_text|start|bos)[^<>|]{0,20}\|>"
    r"(?:\s{0,3}assistant\b)?|<start_of_turn>(?:model)?|<s>|<bos>|<\|end_header_id\|>|\[/?INST\]"
)
_END_TOKEN = re.compile(
    r"</s>|<eos>|<end_of_turn>|<end_of_utterance>|<pad>|<unk>"
    r"|<\|(?:im_end|eot_id|end|endoftext|end_of_text|return|eos)\|>"
)
_TEMPLATE_TOKEN = re.compile(r"<\|[a-z_]{1,30}\|>|<image>|<pad>|<unk>", re.I)
_TAG = re.compile(
    r"</?(?:answer|final_answer|final|response|output|conclusion|summary|caption|reasoning|result"
    r"|b|i|u|p|br|em|strong|span|div|code)\s{0,2}/?>",
    re.I,
)
_ROLE = re.compile(
    r"\s*(?:\*\*)?(?:assistant|ai|bot|chatbot|model|response|gpt(?:-?4[ov]?)?|gemini|claude|llava"
    r"|qwen(?:-?vl)?|internvl|molmo|phi|idefics)(?:\*\*)?\s{0,3}:(?:\*\*)?\s*",
    re.I,
)
_LATEX_FONT = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|boldsymbol|bf|rm)"
    r"\s{0,2}\{([^{}]{0,300})\}"
)


def after_reasoning(text: str) -> str:
    """Return what follows the last reasoning block: nothing where it is never closed."""
    low = text.lower()
    end = max(low.rfind(mark) + len(mark) if mark in low else 0 for mark in _REASONED)
    text, low = text[end:], low[end:]
    opened = [low.find(mark) for mark in _REASONING if mark in low]
    return text[: min(opened)] if opened else text


def _in_answer_tag(text: str) -> str:
    """Return the content of the last filled answer tag, else the text."""
    low = text.lower()
    for name in _ANSWER_TAGS:
        end = low.rfind(f"</{name}>")
        start = low.rfind(f"<{name}>", 0, end if end >= 0 else len(low))
        inside = text[start + len(name) + 2 : end if end > start else len(text)]
        if start >= 0 and inside.strip():
            return inside
    return text


def unwrapped(response: str) -> str:
    """Return a response as plain text without reasoning, template tokens and tags.

    A reasoning block goes, also one that is never closed (then nothing is left). Of several turns
    the first counts. Answer tags hold the response where there are any. Emphasis, headings and
    LaTeX fonts go; signs that may be an answer (`>`, `#`, `*`) stay where they are one.
    """
    text = _in_answer_tag(after_reasoning(plain(response)))
    text = _START_TOKEN.sub(" ", text).strip()
    if (end := _END_TOKEN.search(text)) and text[: end.start()].strip():
        text = text[: end.start()]  # what follows is another turn
    text = _TAG.sub(" ", _TEMPLATE_TOKEN.sub(" ", _END_TOKEN.sub(" ", text)))
    if role := _ROLE.match(text):
        text = text[role.end() :]
    text = re.sub(r"\*\*|(?<!\w)__|__(?!\w)|(?m:^[ \t]{0,3}#{1,6} )|```(?:\w{1,10}\n)?", "", text)
    for _ in range(2):  # \boxed{\text{\textbf{C}}}
        text = _LATEX_FONT.sub(r"\1", text)
    return text.strip()


_CONTRACTED = [
    (re.compile(rf"\b{short}\b"), long)
    for short, long in [
        (r"can(?:no|')?t", "can not"),
        (r"won'?t", "will not"),
        (r"shan't", "will not"),
        (r"ain't", "is not"),
        (r"(do|does|did|is|are|was|were|has|have|had|would|could|should|need)n'?t", r"\1 not"),
        (r"i'?m", "i am"),
        (r"(it|that|there|this|what|who|here|he|she)'s", r"\1 is"),
        (r"(you|we|they)'re", r"\1 are"),
        (r"(i|we|you|it|that)'d", r"\1 would"),
        (r"(i|we|you|it|that)'ll", r"\1 will"),
        (r"(i|we|you)'ve", r"\1 have"),
        (r"dunno", "do not know"),
        (r"gonna", "going to"),
    ]
]


def lowered(text: str) -> str:
    """Lower case, single spaces, and contractions in their long form ("can not", "i am")."""
    text = " ".join(text.lower().split())
    for pattern, long in _CONTRACTED:
        text = pattern.sub(long, text)
    return text


def shortened(text: str) -> str:
    """At most LONGEST characters: of a longer text the first and the last half of that."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\n{text[-LONGEST // 2 :]}"


#: A full stop behind these ends no sentence.
_ABBREVIATED = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|prof|vs|fig|approx|e\.g|i\.e|cf|jr|sr|inc|no)|\b[a-z]\.[a-z])\.$",
    re.I,
)
_STOP = re.compile(r"[.!?;][\"')\]]{0,3}\s+|(?<!\s)\s*\n\s*|[.!?](?=[A-Z][a-z])")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, split at full stops, semicolons and line breaks."""
    found, start = [], 0
    for stop in _STOP.finditer(text):
        head = text[start : stop.end()].strip()
        if _ABBREVIATED.search(head[-12:]) and "\n" not in stop[0] and not stop[0].startswith("!"):
            continue
        if head:
            found.append(head)
        start = stop.end()
    return [*found, text[start:].strip()] if text[start:].strip() else found
