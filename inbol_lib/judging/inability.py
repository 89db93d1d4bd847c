"""A small grammar of inability: who can not do what, and what is lacking (ours).

Every pattern reads lower-case text with long forms and single spaces ("can not", "i am", "it is").
A *statement* is complete in itself ("I can not tell", "it is impossible to say", "there is not
enough information"). A *predicate* needs its subject ("... can not be determined", "... is not
visible"); `inbol_lib.refusals` looks at the words before it. All repetitions are bounded, so that
the time is linear in the length of the text.
"""

import re


def any_of(*words: str) -> str:
    """Return an alternative of all the space-separated words; an underscore stands for a space."""
    return "(?:" + "|".join(word.replace("_", " ") for text in words for word in text.split()) + ")"


# --- who ------------------------------------------------------------------------------------------
#: "He can not tell the time" is a description, so he, she and they never decline.
SPEAKER = any_of("i we")
#: "You can't park there": one and you decline only with verbs of knowing.
ANYONE = any_of("i we you one anyone anybody us me")
IMAGE = (
    r"(?:images?|pictures?|photo(?:graph)?s?|photos|figures?|scene|screenshots?|diagrams?|charts?"
    r"|graphs?|tables?|maps?|videos?|frames?|documents?|passages?|descriptions?|captions?|data"
    r"|information|details?|context|edges?|text|labels?|signs?|questions?|scans?|views?|crops?"
    r"|angle|strategies|visuals?|materials?|prompts?|puzzles?|sequences?|options)"
)
_ADJ = r"(?:\w{2,20} ){0,2}"
#: the image, the provided images, neither picture, this photo alone, the edges of the images
IMAGES = (
    rf"(?:(?:the|this|that|these|those|both|neither|no|none of the|either|your|my) {_ADJ})"
    rf"{IMAGE}(?: (?:of|in|on) (?:the |this |both )?{_ADJ}{IMAGE})?"
    r"(?: (?:alone|itself|themselves|you (?:\w+ ){0,2}(?:provided|sent|shared)|provided|given"
    r"|descriptions?))?"
)

#: What a picture may fail to show: subjects of "is not visible" that stand for the answer. Of a cat
#: that is not visible one does answer.
ATTRIBUTE_NOUN = (
    r"(?:name|brand|make|model|age|date|price|cost|title|identity|location|place|nationality|year"
    r"|time"
    r"|author|artist|owner|maker|breed|species|answer|information|detail|purpose|reason|temperature"
    r"|weight|height|origin|profession|occupation|job|amount|number|plate|text|writing|lettering"
    r"|label"
    r"|logo|inscription|handwriting|letters?|words?|sign|caption|print|digits?|destination|source"
    r"|cause"
    r"|manufacturer|exact \w+|specific \w+|actual \w+|precise \w+|contents?|colou?r|size|length"
    r"|distance"
    r"|width|value|score|result|winner|pattern|gender|ethnicity|religion|relationship|meaning"
    r"|intention"
    r"|mood|material|flavou?r|ingredients?|address|country|city|street|scale|status|type|kind"
    r"|season"
    r"|weather|license|licence|signature|product|company|team|event|context|language|total|quantity"
    r"|frequency|duration|speed|salary|income|name tag|details|options?|choice|data|values?)s?"
)
ATTRIBUTE = re.compile(
    rf"\b{ATTRIBUTE_NOUN}\b|^(?:wh(?:at|o|om|ose|ich|ere|en|y|ether)|how|whether)\b"
)

# --- what one fails to do -------------------------------------------------------------------------
ADVERB = (
    r"(?:(?:\w{2,18}ly|also|even|still|really|just|quite|yet|at this time|in good faith) ){0,2}"
)
#: Verbs of knowing and telling.
KNOW = any_of(
    "tell say know answer determine identify infer discern recogni[sz]e confirm verify guess judge",
    "conclude deduce ascertain establish pinpoint estimate predict specify state name interpret",
    "understand solve calculate compute assess evaluate decide choose select pick distinguish",
    "differentiate decipher diagnose resolve settle gauge derive quantify classify categori[sz]e",
    "find_out work_out figure_out make_out tell_apart rule speculate comment count answer_to",
    "trace comprehend compare extract gather glean discover detect_whether provide_feedback",
)
#: be sure · make an informed decision · give a definite answer · come to a conclusion
JUDGE = (
    r"(?:be (?:\w+ )?(?:sure|certain|definit\w+|confident|specific|precise)"
    r"|(?:make|draw|reach|come to|arrive at|form) (?:\w+ ){0,5}?(?:judg\w+|decisions?|guess(?:es)?"
    r"|determinations?|conclusions?|assumptions?|assessments?|identifications?|choices?"
    r"|comparisons?"
    r"|selections?|inferences?|predictions?|estimates?|out)\b"
    r"|(?:provide|give|offer|find|have|supply) (?:you )?(?:(?:with|an?|any|the|that|such|more"
    r"|to)\b ?)"
    r"?(?:\w+ ){0,4}?(?:answers?|responses?|information|details?|diagnos\w+|identif\w+|opinion"
    r"|assessments?|analys[ie]s|conclusions?|numbers?|estimates?|determinations?|descriptions?"
    r"|explanations?|solutions?|judg\w+|interpretations?|selections?|names?)\b"
    r"|(?:provide|give|offer) (?:that|this|it|one)\b)"
)
#: Verbs of helping, only said of the speaker.
SERVE = any_of(
    "help assist respond comply fulfil fulfill discuss describe explain provide give offer view",
    "access analy[sz]e process open load display fetch retrieve read measure locate complete",
    "do_so do_that do_this do_it proceed engage browse zoom perform transcribe translate match",
    "continue look_at look_up share examine interact generate inspect",
)
#: "I can't see a dog" answers; "I can't see the picture, it, clearly, enough" declines.
SEE = (
    r"(?:(?:see|find|spot|detect|read|view|perceive|observe|get|visuali[sz]e)"
    r"(?=\W*$| (?:it|that|this|them|anything|well|clearly|properly|enough|what|who|which|where|how"
    r"|whether|if|the answer|(?:any |the |that |this )?(?:specific )?(?:information|details?|data)"
    r"|(?:the |your |any |this |an? |actual )?(?:actual |attached )?(?:images?|pictures?|photos?"
    r"|photographs?|attachments?|screenshots?|options?)(?: (?:you|directly|itself|because|as|at"
    r"|here"
    r"|attached|in|and|or|so|from|that|or)|\W*$|[,.;])|the (?:\w+ ){1,4}?(?:clearly|well)"
    r"|(?:his|her|its|their|the \w+'s) (?:\w+ ){1,3}?(?:clearly|well))))"
)
_RULED_OUT = (
    r"(?! (?:option |choice |answer )?\(?[a-j]\)?(?![\w']))"  # "I will not choose option A"
)
TELL = rf"(?:{KNOW}|{JUDGE})\b{_RULED_OUT}"
ACT = rf"{ADVERB}(?:(?:{KNOW}|{JUDGE}|{SERVE})\b{_RULED_OUT}|{SEE})"

# --- modality -------------------------------------------------------------------------------------
_UNABLE = (
    r"(?:(?:am|are|is|was|were|be|been|remain|feel) )?(?:\w{2,18}ly |currently |also |still )?"
    r"(?:unable to|incapable of|not (?:\w{2,12}ly )?(?:able|equipped|qualified|allowed|permitted"
    r"|authori[sz]ed|designed|trained|programmed|going|willing|prepared|here|in a position"
    r"|in the position|built|supposed|meant) to)"
)
#: can not · am unable to · will not · would rather not · must decline to · have no way to
MODAL = (
    rf"(?:(?:can|could|would|will|may|shall|do) {ADVERB}not(?: {ADVERB}be able to)?"
    rf"|(?:will |would |have |has |had |might |may )?{_UNABLE}"
    r"|would (?:rather|prefer) not(?: to)?|(?:would )?prefer not to|choose not to|try not to"
    r"|(?:can|could) (?:hardly|barely|scarcely|only)"
    r"|(?:do not|did not|lack) ?(?:currently )?(?:have )?(?:the |any |a |enough )?(?:\w{2,18}"
    r" ){0,2}?"
    r"(?:ability|abilities|capability|capabilities|capacity|means|tools?|permission|access|skills?"
    r"|way|expertise|resources?|basis|information|context|details?|evidence|data|knowledge)"
    r"(?: (?:needed|required|necessary|available))? to"
    r"|(?:have|had|am having|has) (?:\w+ )?(?:trouble|difficulty|difficulties|problems?)"
    r"|struggle to|struggled to|failed to|fail to|am (?:\w+ )?(?:hesitant|reluctant|not (?:\w+ )?"
    r"comfortable(?: with)?)(?: to)?|do not feel (?:\w+ )?(?:comfortable|able|confident)(?: to)?"
    r"|do not (?:think|believe|feel|suppose) (?:that )?(?:i|we|you|one|anyone) can"
    r"|do not (?:think|believe|feel|suppose) (?:that )?(?:it is|this is|that is) (?:\w+"
    r" )?(?:possible|feasible) (?:for me )?to"
    r"|doubt (?:that )?(?:i|we|you|one|anyone|anybody) (?:can|could|would be able to))"
)
_ING = (
    r"(?:tell|say|know|answer|determin|identify|infer|discern|recogni[sz]|confirm|verify|guess|judg"
    r"|mak|provid|giv|read|analy[sz]|see|view|help|assist|estimat|assum|speculat|nam|offer|decipher"
    r"|describ|process|access|specif|select|choos|interpret|comment|distinguish|pinpoint"
    r"|find)\w{0,2}"
    r"ing\b"
)
_NEGATED_DO = rf"(?:do|did) not (?={SEE}|{ADVERB}(?:know|understand|recogni[sz]e|identify)\b)"
UNABLE = "|".join(
    [
        rf"\b{SPEAKER} (?:\w+ )?{MODAL} (?:{ACT}|{_ING})",
        rf"\b{ANYONE} (?:\w+ly )?{MODAL} {ADVERB}(?:{TELL}|be (?:\w+ )?sure)",
        rf"\b{SPEAKER} {ADVERB}(?:do|did) {ADVERB}not (?:{ADVERB}(?:know(?! (?:about|of) you)"
        rf"|understand"
        r" (?:the|your|this|what)|recogni[sz]e|quite know)\b)",
        rf"\b{SPEAKER} (?:have|could|can) (?:not|never) (?:been able to |found |managed to"
        rf" )?(?:{ACT})",
        r"\bi (?:can|could) neither \w+|\bi can only (?:guess|speculate)\b",
        rf"(?:^|, |; )(?:sorry,? )?(?:currently |totally |simply )?(?:unable to|not able to|can"
        rf" not|could not) {ACT}",
        rf"\b(?:(?:that|this|it) is )?(?:something|anything|one|question|task|request) (?:that"
        rf" )?(?:{SPEAKER}|you|one) {MODAL}"
        rf" {ADVERB}(?:{ACT})",
        r"\b(?:tells|gives|shows) (?:me|us) nothing\b",
    ]
)

# --- not knowing ----------------------------------------------------------------------------------
_INFO = (
    r"(?:information|info|context|details?|data|evidence|clues?|knowledge|expertise|specifics"
    r"|detail"
    r"|clarity|visibility|indications?|indicators?|cues?|references?)"
)
_MORE = any_of("more further additional extra other better clearer specific sufficient enough any")
NOT_KNOWING = "|".join(
    [
        r"(?:\bi am |\bwe are |^)(?:\w+ly )?not (?:(?:\w+ly|so|too|quite|very|100 ?%|at all) ){0,2}"
        r"(?:sure|certain|confident|familiar|aware)\b(?!-)",
        r"\b(?:i|we) (?:am|are|remain) (?:\w+ly |a bit |quite )?(?:unsure|uncertain|unfamiliar"
        r"|unaware"
        r"|stumped|clueless|at a loss|confused|not an expert)\b",
        r"^(?:unsure|uncertain)(?=\W*$| (?:about|of|what|who|if|whether|how|where|which|why)\b)",
        r"^(?:do not|really do not|honestly do not) know\b",
        r"\b(?:i|we) (?:\w+ )?(?:do not have|have not|have) (?:a |an |any |the |no |absolutely no "
        r"|not the )"
        r"{0,2}(?:slightest |faintest |real |good |clear )?(?:idea|clue|answer)\b(?<!have a clue)"
        r"(?<!have an answer)(?<!have the answer)(?<!have an idea)(?<!have a clear idea)",
        r"^(?:absolutely )?no (?:idea|clue)\b(?! is)|^(?:idk|beats me)\b\W*$|\bidk\b(?=\W*$)",
        r"\byour guess is as good as mine\b|\b(?:it is )?any(?:one|body)'s guess\b|\bthere is no"
        r" (?:telling|knowing)\b",
        r"^(?:a )?(?:question is )?unanswerable(?=\W*$| (?:from|with|without|because|based|given"
        r"|by)\b)"
        r"|^unsuitable(?: image)?\W*$|^(?:n/a|not applicable)(?=\W*$|\W* - )",
        rf"\bi (?:\w+ )?(?:do not|lack|have no|have limited|have insufficient|have not enough)(?:"
        rf" have)?"
        rf"(?: \w+){{0,4}}? (?:{_INFO}|access|answers?)\b",
        rf"\bwe (?:\w+ )?(?:do not have|lack|have no|have insufficient|have not enough)(?:"
        rf" \w+){{0,4}}?"
        rf" {_INFO}\b",
        r"\bmy (?:\w+ )?knowledge (?:does|is|has|of) (?:\w+ )?(?:not|limited|insufficient|lacking)",
    ]
)

# --- impossible, hard, unclear --------------------------------------------------------------------
_WH = r"(?:wh(?:at|o|om|ose|ich|ere|en|y|ether)|how|if)\b"
_HARD = (
    r"(?:(?:not|never|no longer) (?:\w+ ){0,2}?(?:possible|feasible|easy|practical|straightforward)"
    r"|impossible|hard|difficult|challenging|tricky|tough|infeasible)"
)
_FOR = r"(?:for (?:me|us|one|anyone|anybody|someone) )?"
IMPOSSIBLE = "|".join(
    [
        rf"\b(?:it|this|that) (?:is|was|would be|will be|may be|might be|can be|could be|seems"
        rf"|becomes"
        rf"|remains|makes it|has been|appears) (?:\w+ly |very |quite |also |just |simply |too "
        rf"|still |a bit"
        rf" |a little ){{0,3}}(?:{_HARD} {_FOR}(?:to {ADVERB}(?:{TELL}|{SEE}|read\b|compare\b"
        rf"|describe\b)"
        rf"|from\b|{_WH})|{_HARD} {_FOR}(?:to \w+ ){{0,1}}(?=with certainty)"
        rf"|(?:unclear|not (?:\w+ ){{0,2}}?(?:clear|obvious|evident|apparent|certain|known"
        rf"|specified|stated"
        rf"|possible)|uncertain|unknown|ambiguous|hard to tell) (?:from\b|to me\b|based\b"
        rf"|without\b|{_WH}))",
        rf"(?:^|making it |makes it |made it )(?:\w+ly |very |quite |almost ){{0,2}}{_HARD}"
        rf" {_FOR}to {ADVERB}"
        rf"(?:{TELL}|{SEE}|read\b)",
        rf"\b(?:there is|i have|we have|i see|there seems to be)? ?no (?:\w+ )?way (?:for (?:me|us"
        rf"|anyone) )?"
        rf"(?:to {ADVERB}(?:{TELL})|(?:of|for) (?:know|tell|determin|identify|be|say|answer"
        rf"|confirm|verify)"
        r"\w{0,2}ing\b)|^no way to (?:know|tell|say)",
        r"\b(?:it|this|that) (?:(?:would|will|may) (?:\w+ )?not be|is not|would be|is|may be)"
        r" (?:\w+ly )?(?:(?:in|un|ir)?(?:appropriate"
        r"|responsible|ethical|wise|right|fair|proper)|speculative|speculation|misleading) (?:for"
        r" me |of me )?to"
        r" (?:\w+ly )?(?:guess|diagnos|speculat|assum|identif|judg|infer|answer|give|mak|nam"
        r"|comment|estimat|say|tell"
        r"|determin|provid)\w*",
        rf"\b(?:it|this|that) (?:is|was) {ADVERB}(?:un)?clear(?=\W*$)(?<!is clear)",
    ]
)

# --- what is lacking ------------------------------------------------------------------------------
_ABOUT = (
    r"(?=\W*$| (?:about|on|regarding|concerning|as to|to|of|in|is|are|was|were|available|given"
    r"|provided"
    r"|here|for|that|from|with|as|and|or|needed|required|necessary|shown|visible|specified|which)\b"
    r"|[.,;:])"
)
_SHORT_OF = (
    r"(?:not (?:\w+ly )?enough|insufficient|inadequate|not (?:\w+ )?sufficient|too little|limited"
    r"|no sufficient)"
)
#: An attribute asked about: definite ("of the price", "of who"), not "no indication of rain".
_ASKED = (
    r" (?:of|as to|about|regarding|for|on|to) "
    rf"(?:the|his|her|its|their|your|any|this|that|each|{_WH})"
)
LACKING = "|".join(
    [
        rf"(?:^|\b(?:there (?:(?:is|are|was|were)|(?:appears?|seems?) to be)|i have|is|are|was"
        rf"|were|be|have|has|with|due to|given|provides?|offers?|gives|contains?|being"
        rf"|seems|appears to be|of|without|simply) ){_SHORT_OF} (?:\w+ ){{0,3}}?{_INFO}\b(?!"
        rf" that\b){_ABOUT}",
        rf"\b(?:there|here) (?:is|are|was|were|seems? to be|appears? to be) (?:\w+ly )?(?:no|not"
        rf" any|not)"
        rf" (?:\w+ ){{0,3}}?(?:information|context|details?|data|clues?|mention|answer)\b{_ABOUT}",
        rf"\b(?:there (?:is|are|was|were)|with|given|i (?:see|find)|having) (?:no|not any) (?:\w+"
        rf" ){{0,2}}?"
        rf"(?:indications?|indicators?|clues?|evidence|sign)\b{_ASKED}",
        r"\bno (?:\w+ ){0,3}?(?:information|context|details?|data)\b (?:is |are |was |were |has"
        r" been "
        r"|have been |in |about |on |regarding |here )(?!desk|board|sign)(?:\w+ )?",
        rf"\b{IMAGES} (?:do|does|did) not (?:\w+ly |seem to |appear to |explicitly |directly"
        rf" ){{0,2}}"
        rf"(?:provide|give|contain|include|offer|have|convey|supply|present|display|show|yield"
        rf"|come with"
        rf"|allow|feature|hold|carry) (?:\w+ ){{0,5}}?(?:{_INFO}|answers?|determination|hints?|the"
        rf" necessary)\b",
        rf"\b(?:neither|none) (?:of )?(?:the |these |those )?(?:\w+ ){{0,4}}?(?:gives?|provides?"
        rf"|contains?|offers?"
        rf"|shows?|has|have|includes?) (?:\w+ ){{0,3}}?{_INFO}\b",
        rf"\b{IMAGES} (?:do|does|did) not (?:\w+ly |us ){{0,2}}(?:specify|indicate|reveal|mention"
        rf"|state|say"
        rf"|tell|disclose|clarify|identify|explain|suggest|list)\b(?! (?:that|any other)\b)",
        rf"\b{IMAGES} (?:do|does|did) not (?:\w+ly )?(?:include|list|provide|give|contain|show"
        rf"|display|state) (?:the|its|his|her"
        rf"|their|an?|any)(?: \w+){{0,3}} {ATTRIBUTE_NOUN}\b",
        rf"\b{IMAGES} (?:do|does|did) not (?:\w+ly )?(?:show|display|depict|give|include|provide"
        rf"|contain"
        rf"|have|cover|tell)(?: us)? (?:(?:what|who|where|when|why|how|which|whether|that|this|it"
        rf"|enough"
        rf"|one)\b(?! (?:of|man|cat|dog)))",
        r"\bnothing (?:\w+ ){0,5}?(?:indicates|tells|says|shows|suggests|reveals|specifies|lets"
        r"|allows"
        r"|helps|identifies) (?:me |us |one |you )?(?:\w+)",
        r"(?:^|\b(?:i|we) (?:\w+ )?)(?:could|can|did|do) not (?:\w+ )?(?:find|see|locate|detect)"
        r" (?:any |the "
        r"|enough |sufficient )(?:\w+ ){0,2}?(?:information|details?|data|answer|mention"
        r"|reference)\b",
        rf"\b{IMAGES} (?:is|are|seems?|appears?|looks?) (?:\w+ ){{0,2}}?(?:illegible|unreadable)\b",
        rf"^(?:insufficient|not enough|no(?! evidence)|lack of|lacking) (?:\w+"
        rf" ){{0,2}}?(?:{_INFO})\b(?! (?:desk|sign|board"
        rf"|menu|centre|center|booth|of (?!the|his|her|its))){_ABOUT}",
        r"\bi (?:see|find|have|found) no (?:\w+ )?(?:information|details?|data|answer|mention)\b",
        r"(?:^information|that information|this information|such information|the information|the"
        r" answer"
        r"|the details|the data)(?: \w+)? (?:is |are )?(?:simply )?(?:not|un)(?: )?(?:\w+ly"
        r" )?(?:available|provided"
        r"|given|shown|present|included|visible|known|in the|here)\b",
    ]
)

_KNOWN = any_of(
    "determined answered known told identified inferred ascertained established deduced confirmed",
    "verified estimated calculated computed concluded discerned recogni[sz]ed read deciphered"
    " made_out",
    "distinguished specified assessed judged predicted gauged pinpointed named derived solved"
    " resolved",
    "completed guessed gleaned evaluated classified interpreted measured found_out settled"
    " gathered",
    "counted decided definitively definitely conclusively reliably accurately",
)

# --- beyond reach, declining, no picture, needing more --------------------------------------------
_MY = (
    r"(?:my (?:\w+ )?(?:scope|area|knowledge|expertise|capabilit|abilit|understanding|training"
    r"|reach"
    r"|competence|remit|field|purview|capacity)|the (?:scope|limits?|range|realm|bounds) of|what"
    r" (?:i|we|one)"
    r" (?:can|am|could|know)|what (?:can|could) be|what (?:is|was) (?:shown|visible|depicted|given"
    r"|provided)"
    rf"|what {IMAGES})"
)
BEYOND = re.compile(
    rf"\b(?:is|are|was) not (?:really )?(?:something|anything|a \w+)(?: that| which)? (?:{SPEAKER}"
    rf" (?:(?:can|could|am able to|are"
    rf" able to|feel|have|know|will|would) ?{ACT}?|know)|{ANYONE} can {TELL}|(?:can|could|may)"
    rf" {ADVERB}be (?:\w+ly )?{_KNOWN}"
    rf"|{IMAGES} (?:\w+ )?(?:shows?|reveals?|tells?|indicates?))"
    r"|\b(?:is |goes )?(?:against|violates?|breaks?) my (?:\w+ )?(?:polic|guidelin|rules"
    r"|programming|principl)\w*"
    rf"|\b(?:is|are) (?:\w+ )?(?:not (?:\w+ )?(?:sufficient|enough|adequate)|insufficient"
    rf"|inadequate|too (?:limited|vague"
    rf"|scarce)) (?:for|to) (?:\w+ ){{0,2}}?{ADVERB}(?:{TELL}|an?\b)"
    rf"|\b(?:is|are|lies?|falls?|goes|go|would be|was) (?:\w+ly |well |far )?(?:outside|beyond|out"
    rf"|past|not"
    rf" within|not in|not part) (?:of )?(?:\w+ of )?{_MY}"
)
DECLINE = "|".join(
    [
        r"\b(?:i|we) (?:\w+ly )?(?:must|have to|will have to|will|would|need to|should|shall|am"
        r" going to|"
        r"am forced to|'ll)? ?(?:\w+ly )?(?:decline|refuse|refrain|abstain|pass on|skip|opt out)\b",
        r"\bi (?:\w+ )?(?:do not|would not|am not|will not) (?:\w+ )?(?:feel |be )?(?:\w+"
        r" )?(?:comfortable"
        r"|willing|at ease)\b",
        r"\bi (?:do not|will not|would not|try not to|never|avoid|should not|must not) (?:\w+ing "
        r"|want to "
        r"|wish to |like to |intend to |care to )?(?:identify|guess|speculat|nam(?:e|ing)|assum"
        r"|mak(?:e|ing)"
        r" (?:\w+ )?(?:guess|assum|judg)|judg|infer|comment on|diagnos|answer|reveal|disclos)\w*",
        r"\b(?:my|our) (?:\w+ )?(?:polic\w+|guidelines?|rules|programming|principles)"
        r" (?:\w+ )?(?:prevents?|prohibits?|forbids?|do(?:es)? not (?:allow|permit)|keeps?"
        r"|restricts?)",
        r"\bi (?:would rather|would prefer to|prefer) (?:not|to leave|leave)\b|\bi can only"
        r" (?:guess|speculate)\b",
    ]
)
_PICTURE = r"(?:image|picture|photo|photograph|attachment|screenshot|file|visual|video)s?"
_HERE = (
    r"(?=\W*$|,| (?:attached|provided|here|in (?:our|this|the|your) (?:conversation|message|chat"
    r"|prompt"
    r"|question|request)|uploaded|yet|you\b|to (?:look|view|analy|refer|work|go|see)|included|with"
    r" (?:your"
    r"|the|this)|that you|sorry|shared|visible|so\b|available|from you|was|were|has|have|and|on"
    r" my))"
)
NO_PICTURE = "|".join(
    [
        rf"(?:^|\b(?:there (?:is|was|are|were)|i see|i have|i have received|i received|i got|that"
        rf"|with|and|as|so)"
        rf" )no (?:\w+ )?{_PICTURE} (?:was|were|is|are|has been|have been|had been|got)? ?(?:\w+"
        rf" )?(?:provided"
        r"|attached|supplied|uploaded|included|given|shared|sent|received|loaded|displayed"
        r"|available|visible)",
        rf"\b(?:there (?:is|was|are) (?:no|not any|not an?)|i (?:have )?(?:received|see|got|have)"
        rf" no) (?:\w+ )?"
        rf"{_PICTURE}{_HERE}",
        rf"\bi (?:do|can|did|could|have) not (?:\w+ )?(?:see|seen|have|find|receive|received|get"
        rf"|got|detect)"
        rf" (?:any|an|the|a|your|access to)? ?(?:any |the |an? )?(?:\w+ )?{_PICTURE}{_HERE}",
        rf"\b(?:the |your |any |an? )?(?:\w+ )?{_PICTURE} (?:you \w+ )?(?:did not|does not|do not"
        rf"|has not|have not|failed to|seems? to have not)"
        r" (?:\w+ )?(?:come|came|been|load|loaded|upload|uploaded|appear|attach|go|get|display"
        r"|open|render)\b",
        rf"\byou (?:have not|did not|forgot to|have yet to) (?:\w+ )?(?:provided?|attach(?:ed)?"
        rf"|upload(?:ed)?"
        rf"|include|included|shared?|sent|send) (?:any|an|the|a) (?:\w+ )?{_PICTURE}",
        rf"^(?:please |could you (?:please )?|can you (?:please )?|kindly ){{1,2}}(?:\w+"
        rf" )?(?:upload|attach|share"
        rf"|provide|send|re-?upload|resend) (?:the |an? |your |me )?(?:\w+ ){{0,2}}{_PICTURE}",
    ]
)
_WANTED = (
    rf"(?:some |much |a lot )?{_MORE} (?:\w+ ){{0,3}}?"
    rf"(?:{_INFO}|time|clarification|images?|pictures?)\b"
)
ASKING = "|".join(
    [
        r"\b(?:i|we|one|you|anyone) (?:\w+ly )?(?:would |will |may |might )(?:\w+ly )?(?:need"
        r"|require|have) to (?:see"
        r"|know|have|check|look|examine|analy[sz]e|consult|compare|view|ask)\b",
        rf"\b(?:i|we|one|you|anyone) (?:\w+ )?(?:would |will |may |might |do )?(?:\w+ )?(?:need"
        rf"|require) {_WANTED}",
        rf"\b(?:{_MORE} )(?:\w+ ){{0,2}}?(?:{_INFO}|analysis|clarification|images?)(?: or \w+)?(?:"
        rf" \w+){{0,6}}?"
        r" (?:is|are|would be|will be|may be|might be) (?:\w+ )?(?:needed|required|necessary)",
        rf"^(?:please |(?:could|can|would) you (?:please )?|kindly )(?:\w+ ){{0,2}}?(?:(?:provide"
        rf"|give|share|upload|send"
        rf"|supply|offer|add)(?: me)?(?: with)?(?: the| an?| some| your)? (?:{_MORE} |{IMAGE}\b)"
        rf"|clarify|specify"
        r"|rephrase|elaborate)\b",
    ]
)
NEED = "|".join(
    [
        ASKING,
        r"\b(?:i|we|one|you|anyone) (?:\w+ )?(?:need|require|have) to (?:see|know|have|check|look"
        r"|examine|analy[sz]e"
        r"|consult|compare|view|ask|be)\b|\bneed clarification\b",
        rf"\b(?:{_INFO}|analysis) (?:is|are|would be|will be|may be|might be) (?:\w+ )?(?:needed"
        rf"|required|necessary"
        r"|helpful|useful)",
        r"\b(?:it|this) (?:would|may|might|will|is) be? ?(?:\w+ )?(?:helpful|necessary|useful"
        r"|best|better"
        r"|beneficial|important|needed) to (?:have|know|see|consider|provide|obtain|get|be"
        r" given)\b",
        rf"\b(?:need|requires?|required|needs) {_MORE} (?:\w+ ){{0,2}}?(?:{_INFO})\b",
        r"\bnot (?:know|contain|show|give|list) enough\b",
    ]
)

#: Statements that decline by themselves, once they stand where a main clause begins.
STATEMENT = re.compile("|".join([UNABLE, NOT_KNOWING, IMPOSSIBLE, LACKING, DECLINE, NO_PICTURE]))
#: Requests for more, which decline where nothing else is said; and all mentions of a need.
ASKS_FOR_MORE = re.compile(ASKING)
NEEDS_MORE = re.compile(NEED)

# --- predicates that need a subject ---------------------------------------------------------------
CAN_NOT_BE = re.compile(
    rf"\b(?:can|could|may|might) {ADVERB}not (?:\w+ )?be (?:\w{{2,18}}ly )?(?:{_KNOWN}\b|(?:clearly"
    r" |fully )?(?:seen|visible|found)(?=\W*$| (?:in|on|from|clearly|because|here)\b))"
    r"|^(?:can|could) not be (?:\w+ly )?\w+|\bis (?:unanswerable|not answerable)\b"
)
_SHOWN = (
    r"(?:visible|legible|readable|shown|mentioned|specified|stated|provided|given|available|clear"
    r"|known"
    r"|indicated|displayed|depicted|present|included|discernible|apparent|identifiable"
    r"|recogni[sz]able"
    r"|evident|listed|disclosed|revealed|described|clearly visible|in view|obvious|detailed"
    r"|identified"
    r"|determinable|answerable|distinguishable|decipherable|in the (?:image|picture|photo))"
)
NOT_SHOWN = re.compile(
    rf"\b(?:is|are|was|were|remains?|seems?) (?:\w+ly |also |simply |still |to be ){{0,2}}(?:not"
    rf" (?:\w+ly"
    rf" |at all |even ){{0,2}}(?:{_SHOWN})|unknown|unclear|illegible|unreadable|obscured|hidden"
    rf"|cut off"
    r"|blocked|out of (?:frame|focus|view)|unspecified|indistinct|undisclosed|indeterminate"
    r"|ambiguous"
    r"|impossible to \w+|hard to (?:read|tell|make out)|too \w+ to (?:read|make out|tell|see))"
    r"(?=\W*$|[.;,]| (?:in|on|from|by|at|with) (?:the|this|that|these|any|either|what|it|his|her"
    r"|its|a|my)\b"
    r"| (?:based|here|because|as|due|for me|to me|without|so|since|anywhere|given|and|or|nor"
    r"|enough(?! to be))\b)"
)
#: "... is too small to read", "... is too blurry to tell".
TOO_MUCH = re.compile(
    rf"\b(?:is|are|was|were|seems?|appears?|looks?) (?:\w+ ){{0,3}}?too (?:\w+ ){{1,4}}?(?:for me "
    rf"|for us "
    rf"|for anyone )?to (?:be )?{ADVERB}(?:{KNOW}\b|{SEE}|read(?:able)?\b|seen\b|legible\b|see\b)"
)
#: Fragments: "Not visible in the image.", "Unknown from the image."
FRAGMENT = re.compile(
    r"^(?:it is )?(?:not (?:\w+ly )?(?:visible|legible|readable|shown|mentioned|specified|stated"
    r"|provided"
    r"|available|known|indicated|displayed|given|determinable|answerable|discernible|disclosed"
    r"|listed)"
    r"|illegible|unreadable|unspecified|undetermined|indeterminate|indeterminable|undeterminable)"
    r"(?=\W*$|[.;,]| (?:in|on|from|by|based|here|because|as|due|without)\b)"
    r"|^(?:unknown|unclear) (?:from|based|in (?:the|this) (?:image|picture|photo)|without|given"
    r"|as)\b"
    r"|^(?:difficult|hard|impossible|tough|tricky|not possible|not easy) to (?:determine|say|tell"
    r"|know)\b"
)
