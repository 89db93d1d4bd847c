"""Does a response decline to answer? Decided on the act of the whole response (ours).

A response declines when it states inability or refusal (`inability`) where its main point stands,
and gives no answer after all: "I can't be sure, but it looks like a bus" and "... Therefore, the
answer is (B)" are answers; "There is no dog" and a quoted "I don't know" are answers, too.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from inbol_lib.judging.inability import (
    ASKS_FOR_MORE,
    ATTRIBUTE,
    BEYOND,
    CAN_NOT_BE,
    FRAGMENT,
    IMAGES,
    NEEDS_MORE,
    NOT_SHOWN,
    STATEMENT,
    TOO_MUCH,
)
from inbol_lib.judging.wording import lowered, plain, sentences, shortened, unwrapped

__all__ = ["Stance", "is_refusal", "plain", "stance"]

# --- what may stand before the main point ---------------------------------------------------------
_SORRY = (
    r"(?:i am |i'm |we are )?(?:very |so |really |truly |deeply )?sorry(?: to say| about that)?"
)
_PREAMBLE = re.compile(
    rf"(?:{_SORRY}|(?:i am )?afraid|(?:my |our |sincere ){{0,3}}apologies|(?:i|we) (?:sincerely"
    rf" )?apologi[sz]e"
    r"(?: for (?:the|any) (?:inconvenience|confusion|misunderstanding))?|i regret(?: to (?:say"
    r"|inform you))?"
    r"|unfortunately|regrettably|sadly|honestly|frankly|well|okay|ok|oh|hi|hello|sure|h+m+|u+[hm]+"
    r"|so|but|and|however|therefore"
    r"|thus|hence|consequently|as such|as a result|nevertheless|still|yet|also|additionally"
    r"|furthermore"
    r"|moreover|in (?:conclusion|summary|short|this case|general|fact|that case)|overall|ultimately"
    r"|at (?:this|the) (?:point|moment)|i (?:must|have to|should|need to|will have to|would have"
    r" to) (?:\w+ly )?"
    r"(?:admit|say|note|point out|inform you|tell you)|to be (?:honest|fair|clear)|(?:please )?note"
    r"|it (?:seems|appears|looks like|looks as if|means|follows|sounds like)|there (?=appears"
    r"|seems)"
    r"|(?:the |my |final |correct |short ){0,4}answer(?: to (?:the|this|your) question)?(?: is(?="
    r" (?:that|i|we|there"
    r"|it)\b)| ?(?=[:-]))|conclusion(?= ?:)|which means|meaning|this means|i (?:\w+ )?(?:think"
    r"|believe|feel"
    r"|fear|would say|conclude)|as an? [^,.]{1,60}(?:,|(?= i\b))|i am (?:just |only |merely )?an?"
    r" [^,.]{1,60}(?:,|(?= and\b)|$)"
    r"|it is important to note|it should be noted|(?:yes|no)(?=,? (?:i|we|it is (?:not|im|hard"
    r"|diff|un))\b)"
    r"|i have looked (?:\w+ ?){1,6}|i looked (?:\w+ ?){1,8}|[a-z]{3,12}ing at [^,.]{1,60},|that"
    r" said"
    r"|i (?:understand|appreciate|see) [^,.]{1,80},|thanks?(?: you)?[^,.]{0,80}[,.!]?|that(?!"
    r" (?:is|was|information|would))|but|so)"
    r"(?:\W+|$)"
)
#: Leading phrases and clauses that close with a comma: "From the image alone, ..."
_OPENS = re.compile(
    r"(?:(?:solely |only |just |purely |even )?(?:based|judging|going|relying|depending)|from|in"
    r"|given|without|with"
    r"|due|because|since|as|while|whilst|although|though|even though|even if|despite|if|when|where"
    r"|whereas"
    r"|considering|looking|after|by|at|for|to|upon|according|unless|until|on|under|of|regarding"
    r"|concerning|until"
    r"|unlike|apart from|other than|beyond|once|after|before|having|seeing|assuming|depending"
    r"|neither)\b"
)
#: A phrase that needs no comma: "without more context it is hard to say".
_PHRASE = re.compile(r"(?:from|in|without|with|by|based|at|given|on)\b(?: [\w'-]+){1,12}$")
_SO = re.compile(
    r"(?:^|\W)(?:so|therefore|thus|hence|consequently|and so|which means(?: that)?|meaning(?:"
    r" that)?"
    r"|and therefore|and thus|which is why|so that|as a result|thereby|and consequently|, which"
    r"|which)$|[:-]$"
)
_BUT = re.compile(r"\W(?:but|however|yet|though|although|only)(?: unfortunately| sadly)?,?$")
#: Opens with what the picture or the question holds, which is no answer yet.
_SCENE = re.compile(
    rf"(?:{IMAGES} (?:\w+ ){{0,3}}?(?:shows?|depicts?|features?|displays?|contains?|appears?"
    rf"|seems?|includes?"
    r"|presents?|asks?|captures?|consists?|wants?|requires?|provides?|is|are)\b"
    r"|in (?:the|this) (?:\w+ )?(?:image|picture|photo|photograph|scene)\b"
    r"|this (?:is|appears to be|looks like|seems to be) (?:an? |the )?(?:\w+ ){0,3}?(?:photo"
    r"|picture|image|painting"
    r"|close-up|screenshot|scene|drawing|diagram|chart|puzzle|question)"
    r"|(?:i|we) (?:can )?(?:see|notice|observe|note)\b|(?:to|in order to) \w+[^,]{1,200},|let us\b"
    r"|let's\b"
    r"|(?:unknown|unclear|unsure|sorry|none|n/a)\W*$|looking at\b|(?:thank|thanks|great|good|nice"
    r"|interesting|sure|hello|hi|certainly|of course|absolutely)\b"
    r"|(?:i|we) (?:would |will )?(?:appreciate|have (?:looked|examined|analy[sz]ed)|looked"
    r"|examined|understand)\b"
    r"|you (?:have )?(?:asked|are asking|want|provided|uploaded)|step \d|the question|both"
    r" (?:images|pictures))"
)

# --- an answer after all --------------------------------------------------------------------------
_ANSWER_IS = re.compile(
    r"(?:(?<!to )(?<!not )\banswers?|\b(?:correct|right|best|final|my|appropriate|suitable|likely)"
    r" (?:option|choice|solution)|\boption:)"
    r"(?: (?:to|for) (?:the|this|your) question)? ?(?:is|would be|are|:|=)"
    r"(?: likely| probably| most likely| therefore)? ?[:*\"']* ?(?P<content>[^\n]{1,160})"
)
#: Contents that are no answer: "the answer is (C) cannot be determined", "... none of the above".
_NO_CONTENT = re.compile(
    r"\W*(?:\(?[a-j]\)?[\W_]+)?(?:that )?(?:none of (?:the above|these|them|the options)|neither"
    r"|not (?:\w+ly )?(?:clear"
    r"|provided|visible|shown|given|known|available|possible|in the|present|specified|stated"
    r"|determin|enough|obvious"
    r"|sure|certain|applicable|explicit|included|mentioned|evident|there|answerable)|un(?:known"
    r"|clear|certain|determin"
    r"|answerable|able|sure)|indetermina|can ?not (?:be|tell|say|answer|determine|provide|give"
    r"|know)|it depends|n/a"
    r"|insufficient|impossible|based on|beyond|outside|hidden|missing|subjective|difficult|hard to"
    r"|either|both (?:images|pictures|could)|likely to|in the (?:image|picture)|left|up to)"
)
_LETTER_FIRST = re.compile(
    r"\W*(?:(?:the )?(?:option|choice|answer|letter|picture|image|point|box) )?(?:\([a-j]\)"
    r"|[a-j](?=[).:,]|\W*$|\s-))"
)
_OR_LETTER = re.compile(r"^\W*or\b|\bor (?:option )?\([a-j]\)")
_CHOOSES = re.compile(
    r"\b(?:i|we) (?:would |will |have to |must |can |shall |'ll |could )?(?:\w+ly )?(?:choose|pick"
    r"|select|go with|opt for|(?<!only )guess|say"
    r"|conclude|estimate)\b(?! (?:i |we |that (?:i|we|it is not|there is (?:no|not))\b|for (?:sure"
    r"|certain))) ?"
    r"(?P<content>[^\n]{0,160})"
)
#: "Therefore, <no more doubt>" answers.
_THEREFORE = re.compile(
    r"^(?:therefore|thus|hence|so|consequently|accordingly|in conclusion|overall)\b,?"
    r" (?P<content>.{2,})"
)
_GUESS = re.compile(
    r"\b(?:my (?:best |educated )?guess|i (?:think|believe|guess|would (?:say|guess|estimate)"
    r"|suspect)"
    r"(?! (?:that )?(?:i |we |it is (?:not |im)|there is (?:no|not)|the (?:answer|question) (?:is"
    r" not|can)))"
    r"|(?:would|could|may|might|seems? to|appears? to) (?:be|have) (?:the |a |an )?(?:slightly "
    r"|much )?(?:(?:most|more) (?:likely|appropriate|suitable"
    r"|similar|probable|fitting|plausible|reasonable)|better|best|closest)\b"
    r"|(?:would|could|may|might) be (?:the )?(?:most|best|closest)\b|lean(?:s|ing)? (?:\w+"
    r" )?towards?\b|most likely (?:that|to be)"
    r"|(?:is|are) (?:the |a )?(?:most likely|more likely|most similar|more similar|more"
    r" appropriate|better"
    r"|best|closest|closer|more suitable|most suitable))\b"
)
_SOFT_GUESS = re.compile(
    r"\b(?:maybe|perhaps|probably|possibly|likely|looks? like|looks (?=\w)|(?:appears?|seems?)"
    r" (?:to|like|as)|suggest(?:s|ing)"
    r"|indicat(?:es|ing)|reads?|must be|should be|(?:might|may|could|would) (?:\w+ )?be)\b(?!"
    r" (?:any|interpreted|seen|viewed|due"
    r"|because|many|several|various|helpful|needed|required|necessary|different|able|possible))"
)
#: A guess in a sentence of its own: "It might be a bus.", "Probably red."
_SOFT_OPENING = re.compile(
    rf"(?:(?:it|he|she|they|this|that|these) (?:\w+ly )?(?={_SOFT_GUESS.pattern})|(?:maybe|perhaps"
    rf"|probably|possibly|likely)\b)"
)
#: A guess may rest on an assumption: "if we assume that ..., the second is more similar".
_ASSUMING = re.compile(r"^(?:but|however)?,? ?if (?:i|we) [^,]{1,160}, (?:then )?")
#: Leaves it open: "either could fit", "a teacher or a clerk".
_OPEN = re.compile(
    r"\b(?:either|neither|both|any of|any one|anyone|none of|several|various|many (?:ways|things"
    r"|possib)|it depends|depending on"
    r"|unclear|not clear|more information|additional|further|could potentially|not enough"
    r"|insufficient|difficult to|hard to"
    r"|not possible|impossible|can not|or not|all of (?:them|the)|multiple|different|whether)\b"
    r"|\b(?:could|may|might) [^.]{1,100}\bor\b|\bif (?:you|the|it|there|they|this|that)\b"
    r"|\bwhich (?:one|of|images?|pictures?|options?|photos?|points?|box|choice|answer)\b|\beach"
    r" other\b"
)
#: Leaves even a guess open.
_SPLIT = re.compile(
    r"\b(?:either|neither|any of|none of|each other|not possible|impossible|difficult to|hard to"
    r"|can not)\b"
    r"|\bwhich (?:one|of|images?|pictures?|options?|photos?|points?|box|choice|answer)\b"
    r"|\b(?:could|may|might) [^.]{1,60}\bor (?!might|may|could)"
)
#: Goes on to something else than an answer: an offer, a request, a rule of conduct.
_OFFER = re.compile(
    r"\W*(?:(?:however|but|though|still|that said|instead|nevertheless|so|also)\W+)*"
    r"(?:if (?!i (?:had|have|were) to|we (?:had|have|were) to|forced|pressed)|please|feel free|you"
    r" (?:can|could|may|might|should|will|would|need)|let (?:me|us)|not\b|no (?!, )\w|there (?:is"
    r"|are) no\b|i (?:can|could|will"
    r"|would|am|do|have)\b(?! (?:see|read|make out|still see|(?:tell|say|confirm)(?: you)? (?:that"
    r"|it|this|he|she|they)\b"
    r"|(?:\w+ )?(?:lean|guess|say it|estimate|choose|pick|go with|select)\b))"
    r"|i'll\b|i'd\b|it (?:is|would be|may be|might be) (?:\w+ )?(?:important|best|recommended"
    r"|advisable|necessary|helpful|essential"
    r"|crucial|possible|worth|better|useful|always)|(?:would|could|can|do) you|we (?:can|could"
    r"|would|need)|one (?:can|could|would|must)"
    r"|in order to|to (?:determine|make|answer|provide|be)|without|here (?:is|are)|feel)\b"
)
_TURN = re.compile(
    r"(?:\b(?:but|however|although|though|nevertheless|still|yet|that said)\b"
    r"|\bso\b(?= (?:the answer|it is|yes|no\b|i (?:think|guess|would say)))"
    r"|[,:;-] (?=maybe|perhaps|probably|possibly))\W*(?P<rest>\w.*)"
)
_OPTION_HEAD = re.compile(
    r"\W{0,3}(?:[A-J][).:\]](?!\w)|\([A-Ja-j]\)|[B-HJ](?=\s*\n|\s*$)|[AI](?=\s*\n|\s*$))"
)
_YES_NO = re.compile(r"\W*(?:yes|no|nope|yeah)\b *[,.!;:-]")
_HELPS = re.compile(
    r"\W*(?:yes|no),? (?:i|we) (?:can|am|will|would) (?:be )?(?:\w+ )?(?:help|assist|able|happy)"
)
_APOLOGY = re.compile(
    rf"\W*{_SORRY}\W*(?:$|(?:but\W+)?(?=i\b(?! (?:can )?(?:see|think|believe|guess|meant?)\b)))"
)
_NOT_AN_APOLOGY = re.compile(
    r"\W*(?:i am |i'm )?(?:\w+ )?(?:sorry|apologi[sz]e|apologies) (?:to hear|for (?:my|your|the"
    r" (?!inconv))|that you|about)"
)

#: A label whose content is on the next line: "The answer is:", "### Answer".
_LABEL_LINE = re.compile(
    r"(\b(?:answer|conclusion|response)\b[^\n.]{0,40}?)\s{0,3}:?[ \t]{0,3}\n\s*", re.I
)

# --- quotations -----------------------------------------------------------------------------------
_QUOTED = re.compile(
    r"\"[^\"\n]{1,300}\"|(?<![\w'])'(?=\w)[^'\"\n]{0,60}(?:'\w[^'\"\n]{0,60}){0,3}[^\w'\s]?'(?!\w)"
)
_SAID = re.compile(
    r"\b(?:says|said|reads|asks[,:]|saying|written|titled|captioned|states|tells (?:visitors"
    r"|drivers|people|us that))\b.*"
)


class Stance(NamedTuple):
    """What a response does: `declines` (bool), and whether the rules are `sure` of it (bool)."""

    declines: bool
    sure: bool


def _placed(prefix: str) -> str:
    """Where a statement stands, by what precedes it in its sentence: "head", "so", "but" or ""."""
    prefix = prefix.strip(" \"'*()[]-")
    prefix = prefix[_after_preamble(prefix) :]
    if not prefix.strip(" ,.:;"):
        return "head"
    if _OPENS.match(prefix) and (prefix[-1] in ",:;" or _PHRASE.match(prefix)):
        return "head"
    if _SO.search(prefix.rstrip(" ,")):
        return "so"
    if _BUT.search(prefix):
        return "but" if not _SCENE.match(prefix) else "so"
    if re.search(r"[,:;-](?: (?:and|which is|that is))?$", prefix) and _OPENS.search(prefix):
        return "but"
    return ""


def _subject(prefix: str) -> tuple[str, str]:
    """Split what precedes a predicate into (what precedes its subject, the subject)."""
    if re.match(r"(?:wh\w+|how)\b", prefix):
        return "", prefix.strip()
    marks = (", ", "; ", ": ", " so ", " but ", " and ", " that ", " therefore ", " means ")
    cut = max((prefix.rfind(mark) + len(mark) for mark in marks if mark in prefix), default=0)
    return prefix[:cut], prefix[cut:].strip()


def _after_preamble(sentence: str) -> int:
    """Index behind the leading sorry, however, therefore, answer label ..."""
    start = 0
    for _ in range(6):
        if not (found := _PREAMBLE.match(sentence, start)):
            break
        start = found.end()
    return start


def _stated(sentence: str) -> tuple[str, int]:
    """Return where a sentence states inability, and the index at which that ends.

    The place is "head", "so", "but" or "" (it states none); see `_placed`.
    """
    if _AT_FIRST.search(sentence):
        return "", 0
    start, best = _after_preamble(sentence), ("", 0)
    clause = sentence[start:]
    for pattern in (FRAGMENT, STATEMENT, ASKS_FOR_MORE, *_PREDICATES):
        for found in pattern.finditer(clause):
            prefix = clause[: found.start()]
            if found[0].startswith("mak"):
                place = "so"
            elif pattern in _PREDICATES:
                place = _predicated(prefix, pattern, found[0])
            else:
                place = _placed(prefix)
            if place in ("head", "so"):
                return place, start + found.end()
            if place and not best[0]:
                best = (place, start + found.end())
    return best


_AT_FIRST = re.compile(r"\bat first (?:glance|sight|look)\b|\binitially\b")
#: These need a subject, which must be something that one is asked about for the second.
_SEEN = re.compile(r"\b(?:seen|visible|found)$")
_PREDICATES = (CAN_NOT_BE, NOT_SHOWN, TOO_MUCH, BEYOND)


def _predicated(prefix: str, pattern: re.Pattern, predicate: str) -> str:
    """Where a predicate stands, "" where its subject is none that one is asked about."""
    prefix = prefix[_after_preamble(prefix) :]
    before, subject = _subject(prefix)
    if re.match(r"(?:he|she|they|you|no|yes)\b", subject) or len(subject.split()) > 24:
        return ""
    if _OPENS.match(subject) and not re.match(r"where|when\b", subject) and not before:
        return ""
    if re.search(r" (?:when|if|because|while|unless|until) ", subject):
        return ""
    if pattern is CAN_NOT_BE and _SEEN.search(predicate) and not ATTRIBUTE.search(subject):
        return ""
    if pattern is NOT_SHOWN and not ATTRIBUTE.search(subject):
        return ""
    return _placed(before)


def _unquoted(found: re.Match) -> str:
    """Return a quotation blanked, or its words where it is the answer: the answer is "unknown"."""
    given = re.search(
        r"(?:answer|response|respond|reply)\b[^.]{0,40}$", found.string[: found.start()][-60:], re.I
    )
    return f" {found[0][1:-1]} " if given else " quoted "


def _read(sentence: str) -> str:
    """Return a sentence as the patterns expect it, with quotations blanked."""
    text = lowered(_QUOTED.sub(_unquoted, sentence[:800]))
    return _SAID.sub("says quoted", text)


def _answers_strongly(sentence: str) -> bool:
    """Return whether an answer is named: "the answer is (B)", "I would go with C"."""
    for pattern in (_ANSWER_IS, _CHOOSES):
        for found in pattern.finditer(sentence):
            content = found["content"]
            if lettered := _LETTER_FIRST.match(content):
                rest = content[lettered.end() :]
                return not (
                    _NO_CONTENT.match(rest) or _OR_LETTER.search(rest) or _stated(rest)[0] == "head"
                )
            if re.search(r"\w", content) and not _undecided(content):
                return True
    if _ANSWER_IS.search(sentence):
        return False
    if (found := _THEREFORE.match(sentence)) and not _undecided(found["content"]):
        return True
    return bool(re.match(r"\W*[a-j]\)? ?(?:is|are) (?:the )?(?:correct|right|best)", sentence))


def _undecided(clause: str) -> bool:
    return bool(
        _NO_CONTENT.match(clause)
        or _OFFER.match(clause)
        or _OPEN.search(clause)
        or NEEDS_MORE.search(clause)
        or _stated(clause)[0]
    )


def _goes_on(rest: str) -> bool:
    """Whether the rest of a sentence that states inability turns to an answer all the same."""
    turn = _TURN.search(rest)
    if turn and not _undecided(turn["rest"]):
        return True
    return bool(_GUESS.search(rest) and turn and not _OPEN.search(rest))


def _hedges(following: list[str]) -> bool:
    """Whether the sentences after the inability hold a guess."""
    for i, sentence in enumerate(following):
        sentence = _ASSUMING.sub("", sentence)
        if _GUESS.search(sentence) and not (_SPLIT.search(sentence) or _OFFER.match(sentence)):
            return True
        turns = re.match(r"(?:but|however|still|nevertheless|that said|yet)\b", sentence)
        soft = _SOFT_GUESS.search(sentence) if turns else _SOFT_OPENING.match(sentence)
        plainly = turns and len(following) == 1
        if (
            i == 0
            and (soft or plainly)
            and not _undecided(re.sub(r"^\w+,? ", "", sentence) if turns else sentence)
        ):
            return True
    return False


def _units(text: str) -> list[str]:
    """Return a response's sentences, from its first content on, as the patterns expect them."""
    body = shortened(unwrapped(text))
    if (
        len(body) > 1
        and body[0] in "\"'"
        and body.rstrip(".")[-1] == body[0]
        and body.count(body[0]) == 2
    ):
        body = body.strip("\"'.")
    body = _LABEL_LINE.sub(r"\1: ", body)
    return [read for sentence in sentences(body) if (read := _read(sentence).strip(" \"'*_#>-"))]


def stance(text: str) -> Stance:
    """Return what a response does.

    Parameters
    ----------
    text : str
        A response as the model wrote it.

    Returns
    -------
    Stance
        `sure` is False where inability is stated and something like an answer is given.
    """
    return _known_stance(text) if len(text) <= _SHORT else _stance(text)


#: Characters up to which a response is remembered: such are given again and again.
_SHORT = 200


@lru_cache(2**15)
def _known_stance(text: str) -> Stance:
    return _stance(text)


def _stance(text: str) -> Stance:
    units = _units(text)
    if not units:
        return Stance(False, True)
    places = [_stated(unit) for unit in units]
    stated = [i for i, (place, _) in enumerate(places) if place in ("head", "so")]
    first = next((i for i in stated if _is_main_point(units, i)), None)
    apology = _APOLOGY.match(units[0]) and not _NOT_AN_APOLOGY.match(units[0])
    apology = apology and (len(units) == 1 or _APOLOGY.match(units[0]).end() < len(units[0]))
    if first is None and not apology:
        return Stance(False, not any(place for place, _ in places))
    if apology and first is None:
        first, end = 0, _APOLOGY.match(units[0]).end()
    else:
        end = places[first][1]
    if _OPTION_HEAD.match(unwrapped(text)) or any(map(_answers_strongly, units)):
        return Stance(False, True)
    if (
        _YES_NO.match(units[0])
        and _placed(units[0][: max(end - 1, 0)]) != "head"
        and not _HELPS.match(units[0])
    ):
        return Stance(False, True)
    if _goes_on(units[first][end:]) or _hedges(units[first + 1 :]):
        return Stance(False, False)
    return Stance(True, True)


#: As many sentences may set the scene; who describes at length and then adds a limit has answered.
_SCENES = 2


def _is_main_point(units: list[str], at: int) -> bool:
    """Whether inability stated in a sentence is what the response is about.

    It is in the first sentence, after sentences that only set the scene, and in a conclusion.
    """
    if at == 0 or (at <= _SCENES and _SCENE.match(units[0])):
        return True
    if not any(_PREAMBLE.fullmatch(unit + " ") is None for unit in units[:at]):
        return True
    return bool(
        re.match(
            r"(?:therefore|thus|hence|so|consequently|as such|in conclusion|overall|as a result)\b",
            units[at],
        )
    )


def is_refusal(text: str) -> bool:
    """Whether a response declines to answer (ours).

    All 24 templates do. A hedge that goes on to answer does not, nor does a negative answer
    ("There is no dog") or a quotation.
    """
    return stance(text).declines


def opens_on_scene(sentence: str) -> bool:
    """Whether a sentence only says what the picture or the question holds."""
    return bool(_SCENE.match(_read(sentence)))
