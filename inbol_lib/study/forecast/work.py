"""The questions that each stage asks of models, and the tokens and operations that they cost.

Counts are upper bounds: classes may fall short, and benchmarks may hold fewer questions. Endpoints,
a judge's work and attention's own products (1 % at 600 tokens) are left out.
"""

from typing import NamedTuple

from inbol_lib.params import Params
from inbol_lib.study.forecast.model_sizes import Shape

#: tokens of a question, as tests/bench.py measures them
TEXT = 30
#: tokens of a sampled response
SAID = 10
#: tokens of a response to learn, by kind of training
LEARNED = {"idk_it": 15, "ca_dpo": 25}
#: FLOP per weight and token: 2 forward, 2 for the gradient (weights are frozen), 2 for a reference
PASSES = {"sampling": 2, "idk_it": 4, "ca_dpo": 6}

#: share of a GPU's peak where nothing was measured (ours: what well-fed 7B models reach)
ASSUMED = {"sampling": 0.2, "idk_it": 0.4, "ca_dpo": 0.4}


class Work(NamedTuple):
    """Questions that a model reads, and what it says or learns to say to each.

    Attributes
    ----------
    kind
        "sampling", "idk_it" or "ca_dpo".
    model
        The model's name.
    questions
        Number of questions.
    said
        Tokens of the responses to one question.
    """

    kind: str
    model: str
    questions: int
    said: int = 0

    def tokens(self, shape: Shape) -> int:
        """Return the tokens of all prompts, pictures included."""
        return self.questions * (shape.image_tokens + TEXT)

    def flop(self, shape: Shape) -> int:
        """Return the floating-point operations.

        They are those of the decoder on prompts and responses, and of the vision tower, whose
        weights are frozen.
        """
        tokens = self.tokens(shape) + self.questions * self.said
        decoder = PASSES[self.kind] * shape.language * tokens
        return decoder + 2 * shape.vision * shape.patches * self.questions


class JobWork(NamedTuple):
    """What one job does: the work of models in this process, and the pictures that it stores."""

    asked: list[Work]
    pictures: int


def of_job(stage: str, p: Params) -> JobWork:
    """Return what one job of a stage asks of models, and how many pictures its tables hold."""
    match stage:
        case "confidence":
            return _confidence(p)
        case "unanswerable":
            return _unanswerable(p)
        case "composition":
            return _composition(p)
        case "idk_it":
            return _training(stage, p, p.num_instructions)
        case "ca_dpo":
            return _training(stage, p, _preferred(p))
        case "evaluation":
            return _evaluation(p)
        case "probing":
            return _probing(p)
        case _:
            return JobWork([], 0)


def _sources(p: Params) -> int:
    """Return the number of in-domain sources; a folder counts as one."""
    return 1 if p.dataset.startswith("folder:") else len(p.sources)


def _ood_sources(p: Params) -> list[str]:
    return [] if p.dataset.startswith("folder:") else p.ood_sources


def said(p: Params) -> int:
    """Return the tokens of a sampled response."""
    return min(SAID, p.max_new_tokens)


def _tested(p: Params) -> int:
    """Return the number of in-domain test questions."""
    return p.test_per_source * _sources(p) + p.test_unanswerable


def _preferred(p: Params) -> int:
    """Return the number of questions behind the preference pairs; a mixed one makes two pairs."""
    total, mixed = sum(p.pair_ratio), p.pair_ratio[1]
    return round(p.num_pairs * total / (total + mixed))


def _confidence(p: Params) -> JobWork:
    per_source = p.train_questions + p.validation_questions + p.test_questions
    pool = _sources(p) * per_source
    if "aokvqa" in _ood_sources(p):
        pool += p.ood_questions
    return JobWork([Work("sampling", p.model, pool, p.num_samples * said(p))], pool)


def _unanswerable(p: Params) -> JobWork:
    """Count half as many questions again as are wanted, because filters drop some."""
    wanted = (p.num_unanswerable, p.validation_unanswerable, p.test_unanswerable)
    made = [round(number * 1.5) + 4 for number in wanted]
    written = [number - round(number * p.swap_share) for number in made]
    pictures = sum((number + 1) // 2 for number in written)  # two questions a picture
    asked = [
        Work("sampling", p.unanswerable_generator, pictures, 96),
        Work("sampling", p.verifier, 3 * sum(made), 1),
        Work("sampling", p.model, sum(made), said(p)),
    ]
    return JobWork([work for work in asked if _in_this_process(work.model)], sum(wanted))


def _in_this_process(model: str) -> bool:
    return model != "program" and not model.startswith("endpoint:")


def _composition(p: Params) -> JobWork:
    validation = p.validation_per_source * _sources(p) + p.validation_unanswerable
    instructions = 2 * p.num_instructions  # those of IDK-IT and those of SFT
    return JobWork([], instructions + _preferred(p) + validation + _tested(p))


def _training(kind: str, p: Params, questions: int) -> JobWork:
    return JobWork([Work(kind, p.model, round(questions * p.epochs), LEARNED[kind])], 0)


def _evaluation(p: Params) -> JobWork:
    sets = _ood_sources(p)
    asked = len(sets) + 3 * sets.count("mmbench")  # which is asked in all four rotations
    tested = _tested(p) + p.ood_questions * asked
    return JobWork([Work("sampling", p.model, len(p.methods) * tested, said(p))], 0)


def _probing(p: Params) -> JobWork:
    models = 3  # the original, IDK-IT's and CA-DPO's
    return JobWork([Work("sampling", p.model, models * (p.probe_train + p.probe_test))], 0)
