"""Does a response decline to answer? Read off its opening; a hedge that goes on to answer is an answer (ours).

The patterns are for lower-case text with single spaces and without contractions ("can not", "i am", "it is").
"""

import re
import unicodedata

_CONTRACTED = {
    r"can(?:no|')?t": "can not", r"won'?t": "will not", r"(do|does|did|is|are|was|would|could)n'?t": r"\1 not", r"i'?m": "i am",
    r"(it|that|there|this|what)'s": r"\1 is", r"(i|we|you)'d": r"\1 would", r"(i|we|you)'ll": r"\1 will", r"(i|we)'ve": r"\1 have",
}  # fmt: skip

# What one declines to do. The verbs are listed, because "I can not wait" and "it is hard to walk on ice" decline nothing.
_TELL = (
    r"(?:\w+ly )?(?:tell|say|know|answer|determine|identify|infer|discern|recogni[sz]e|confirm|verify|guess|judge|conclude|deduce|ascertain"
    r"|establish|pinpoint|estimate|predict|specify|state|name|read|describe|interpret|understand|solve|calculate|provide|give|help|assist"
    r"|respond|comment|speculate|access|discuss|decide|count|find out|work out|figure|make (?:\w+ )?out|be (?:\w+ )?(?:sure|certain"
    r"|definite)"
    r"|do (?:so|it)|offer (?:an?|any)|see\W*$|(?:see|find|spot|detect) (?:it|that|this|them|anything|well|clearly|enough|the image"
    r"|the picture"
    r"|the \w+(?:'s)? (?:\w+ )?(?:clearly|well)))\b"
)
_IMAGE = r"(?:image|picture|photo(?:graph)?|figure|question|text|context)(?: alone)?"
_HERE = rf"(?:in|on|from|by) (?:this|the) (?:\w+ )?{_IMAGE}"
_DATA = r"(?:answer|information|info|knowledge|expertise|data|context|details?|idea|clue|access|way|evidence)"
_MY = r"(?:(?:\w+ of )?my (?:current )?(?:scope|area|knowledge|expertise|capabilit|abilit|understanding|training|reach)|what i can)"
_SORRY = r"(?:i am )?(?:very |so |really )?sorry\b"
_CAN_NOT = (
    r"(?:(?:i|we|you|one) )?(?:really )?(?:(?:can|could) not|(?:(?:am|are|be|would|will) )?(?:be )?unable to"
    rf"|(?:(?:am|are|will|would) )?not (?:be )?(?:able|equipped|qualified|allowed) to) {_TELL}"
)
# An attribute that is not to be seen declines a question about it; "the cat is not visible" answers one.
_ATTRIBUTE = (
    r"(?:name|brand|make|model|age|date|price|cost|title|identity|location|place|nationality|year|time|author|artist|owner|maker|breed"
    r"|species"
    r"|answer|information|details?|purpose|reason|temperature|weight|origin|profession|occupation|amount|number)s?"
)
_SEEN = (
    r"(?:visible|legible|readable|shown|mentioned|specified|stated|provided|given|available|clear|known|indicated|displayed|depicted"
    r"|present)"
)
_INABILITY = "|".join([
    _CAN_NOT,
    r"i can neither confirm",
    # I am not quite sure · unsure about it
    r"(?:i am )?(?:\w+ly )?not (?:(?:\w+ly|so|too|quite|100 ?%) )?(?:sure|certain|familiar|aware of)\b",
    r"i am (?:\w+ly )?(?:unsure|uncertain)\b|(?:unsure|uncertain)(?=\W*$| (?:about|of|what|who|if|whether|how|where|which|why)\b)",
    # I do not know · I have no idea · I lack the information
    rf"(?:(?:i|we|you) )?(?:\w+ly )?do not (?:\w+ly )?(?:know|understand the question|have(?: \w+){{0,3}} {_DATA})\b",
    rf"(?:(?:i|we) )?(?:have (?:no|insufficient|not enough|limited)|lack(?: \w+){{0,2}}) {_DATA}\b|no (?:idea|clue)\b(?! is)",
    # there is not enough information · no way to tell · I would need more context
    rf"(?:there (?:is|are) )?(?:(?:not enough|insufficient) (?:\w+ )?{_DATA}|no (?:\w+ )?(?:information|context|indication))"
    r"(?=\W*$| (?:about|on|to|of|in|is|available|given|provided|as)\b)",
    rf"(?:there is |i have )?no way (?:for me )?(?:to {_TELL}|of (?:knowing|telling)\b)",
    rf"(?:(?:i|we) )?(?:would )?need more (?:\w+ )?(?:time|{_DATA})\b|more (?:\w+ )?{_DATA} (?:is|are) (?:needed|required|necessary)",
    r"(?:please|(?:could|can|would) you(?: please)?) (?:provide|give|share|upload|send) (?:(?:me|with|some|an?|the) )*(?:more|better"
    r"|clearer)\b",
    # the answer can not be determined · it is not possible to say · hard to tell
    r"(?:(?:the|this|that|it|its) )?(?:\w+ ){0,5}?(?:can|could) not be (?:\w+ly )?(?:determined|answered|known|told|identified|inferred)",
    r"(?:it|this|that) (?:is|would be) (?:\w+ly |very )?(?:not (?:possible|clear|obvious|evident)|impossible|unclear|hard"
    r"|difficult) (?:for me )?"
    rf"(?:to {_TELL}|from\b|wh\w+|how\b|if\b)",
    r"(?:not possible|impossible|hard|difficult) to (?:tell|say|know|determine)\b",
    # the brand of the shoes is not visible · the image is too dark to read · the image does not say who made it
    rf"(?:(?:the|this|that|its|his|her|their) )?(?:\w+ ){{0,2}}?{_ATTRIBUTE}(?: (?:of|for)(?: \w+){{1,4}}?)? (?:is|are|was) "
    rf"(?:unknown|unclear|illegible|not (?:\w+ly )?{_SEEN})(?=\W*$|[.;,]| {_HERE})",
    rf"(?:the|this) (?:{_IMAGE}|label|writing|sign|letters|screen) (?:is|are|was|seems) (?:(?:\w+ ){{0,2}}too (?:\w+ ){{1,4}}?to {_TELL}"
    r"|illegible|unreadable)",
    rf"(?:the|this) {_IMAGE} does not (?:\w+ly )?(?:(?:specify|indicate|reveal|mention|state) \w|\w+ (?:(?:us )?(?:what|who|where|when"
    rf"|why|how"
    rf"|which|whether)|(?:enough|sufficient|any) (?:\w+ )?{_DATA}))",
    rf"nothing {_HERE} (?:\w+ ){{0,2}}?(?:indicates|tells|says|shows|suggests|reveals|specifies)",
    rf"there (?:is|are) no [^.;]{{1,80}}?\W(?:so|therefore|thus|and) {_CAN_NOT}",
    # this is beyond my expertise · I would rather not guess · unanswerable
    rf"(?:this|that|it|(?:this|the) question) (?:is|lies|falls|goes) (?:outside|beyond) (?:of )?{_MY}",
    rf"i (?:would rather|will) not {_TELL}|i (?:would )?prefer not to\b|i (?:can|could) only guess\b",
    rf"i do not (?:think|believe) (?:that )?(?:i can {_TELL}|(?:there is|i have) enough|it is possible)",
    r"(?:(?:the|this) question is )?unanswerable(?=\W*$| (?:from|with|without|because|based|given)\b)",
    rf"unsuitable(?: {_IMAGE})?\W*$|idk\b",
])  # fmt: skip
_PREAMBLE = (
    rf"{_SORRY}|i am afraid|(?:my )?apologies|i (?:apologi[sz]e|regret)|unfortunately|honestly|well|h+m+|u+[hm]+|(?:the )?answer(?= ?:)"
    r"|i (?:must|have to) (?:admit|say)|to be honest|as an? [\w ]+,|without [^.,]+,"
    rf"|(?:based on|judging by|from|in|given) (?:this|the) {_IMAGE}[^.,]*,"
)
#: The last branch: "Sorry, I ..." declines however it goes on, so that a slip in a learned refusal is not taken for an answer.
_REFUSAL = re.compile(
    rf"\W*(?:(?:(?:{_PREAMBLE})\W*(?:(?:but|that)\W+)?){{0,3}}(?:{_INABILITY})"
    rf"|{_SORRY}\W*(?:$|(?:but\W+)?(?:(?=i\b)|(?:the|this) {_IMAGE} does not\b)))"
)
_TURN = re.compile(r"\b(?:but|however|although|though|so)\b\W*(?P<rest>\w.*)")
#: After a turn, these lead on to something else than an answer.
_OFFER = re.compile(
    rf"(?:(?:{_PREAMBLE})\W*)?(?:(?:if|please|feel|you|let|not)\b|no \w|there is no|{_INABILITY}|i (?:can|could|will|would|am)\b"
    r"(?! (?:see|read|make out|(?:tell|say|confirm) (?:you )?(?:that|it|this|he|she|they)\b)))"
)
_GUESS = re.compile(
    r"\b(?:maybe|perhaps|probably|possibly|likely|my (?:best )?guess|i (?:think|guess|believe|would say)|looks like|(?:appears?"
    r"|seems?) to be"
    r"|(?:might|may|could) be(?! (?:any|interpreted|seen|viewed|due|because|many|several|various)))\b\W*\w"
)


def plain(text: str) -> str:
    """Compatibility characters, curly quotes and dashes as their plain forms, no space around."""
    text = re.sub(
        r"(?<=\d)[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+", lambda m: "^" + m[0], text
    )  # 10\u2075 is not 105
    table = str.maketrans(
        {"\u2019": "'", "\u2018": "'", "\u2013": "-", "\u2014": " - ", "\u2212": "-", "\u2044": "/"}
    )
    return unicodedata.normalize("NFKC", text).strip().translate(table)


def is_refusal(text: str) -> bool:
    """Whether a response declines to answer. All 24 templates do; a hedge followed by an answer does not (ours).

    Anchored at the opening: "There is no dog" and "the sign says sorry" are answers.
    """
    text = " ".join(plain(text).lower().split())
    for short, long in _CONTRACTED.items():
        text = re.sub(rf"\b{short}\b", long, text)
    if not (opening := _REFUSAL.match(text)):
        return False
    rest = text[opening.end() :]
    turn = _TURN.search(rest)
    return not (_GUESS.search(rest) or (turn and not _OFFER.match(turn["rest"])))
