"""Put one question about one picture to the model and to every method that is trained."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset
from PIL import Image

from inbol_lib.boundary.classes import classify, confidence
from inbol_lib.boundary.confidence import sample_texts
from inbol_lib.data.records import QUESTION_FEATURES
from inbol_lib.data.texts import MARK, mended
from inbol_lib.errors import ParameterError
from inbol_lib.evaluation.asking import Examinee, responses
from inbol_lib.explore.material import artefacts
from inbol_lib.judging.hybrid import judge
from inbol_lib.judging.refusals import is_refusal
from inbol_lib.micro import world
from inbol_lib.micro.world import grammar
from inbol_lib.mllm import loading
from inbol_lib.params import Params
from inbol_lib.report.plots.looks import label
from inbol_lib.study import graph

LONGEST = 300  # letters of a question


@dataclass
class Shown:
    """A picture to ask about.

    Attributes
    ----------
    picture
        In RGB.
    name
        What it is called on the page.
    image_id
        Its id in the micro world, which knows the truth about it; "" for other pictures.
    """

    picture: Image.Image
    name: str
    image_id: str = ""


@dataclass
class Asker:
    """The model of some parameters, loaded with the first question, and its trained methods."""

    p: Params
    _who: tuple[Any, Any] | None = field(default=None, repr=False)

    def adapters(self) -> dict[str, Path | None]:
        """Return method -> adapter for every method that can answer now; nothing is trained."""
        found: dict[str, Path | None] = {}
        for method in self.p.methods:
            if method in graph.PROMPTED:
                found[method] = None
            elif folder := artefacts.complete(*graph.trained(self.p, method)):
                found[method] = folder / "adapter"
        return found

    def missing(self) -> str:
        """Return in one line which methods are not trained, and what trains them; "" for none."""
        there = self.adapters()
        absent = [label(method) for method in self.p.methods if method not in there]
        if not absent:
            return ""
        make = artefacts.command("evaluation", self.p)
        return f"Not trained here: {', '.join(absent)}. `{make}` trains and evaluates them."

    def ask(self, shown: Shown, question: str, answer: str = "") -> tuple[dict, list[str]]:
        """Return everything about a question, as `Book.row` does, and notes about it.

        Parameters
        ----------
        shown : Shown
        question : str
            At most `LONGEST` letters.
        answer : str
            The right answers, with commas between them, where the world does not know them.

        Raises
        ------
        ParameterError
            For a question that is empty, too long, or holds what models read as a mark.
        EndpointError
            When the model is an endpoint that does not answer.
        """
        row = _row(shown, checked(question), answer)
        known = row.pop("known")
        questions = Dataset.from_list([row], features=QUESTION_FEATURES)
        if self._who is None:
            self._who = loading.load(self.p.model, precision=self.p.precision)
        sampled = [text or "" for text in sample_texts(self.p, *self._who, questions)[0]]
        methods = []
        for method, adapter in self.adapters().items():
            # without a memory of pictures, which would grow with every question
            said = responses(self.p, method, questions, adapter, Examinee(*self._who))
            methods.append((method, said[0].text or ""))
        texts = sampled + [text for _, text in methods]
        words = self._judged(row, texts, known)
        verdicts = words[: len(sampled)]
        found = _described(self.p, row, sampled, verdicts, known)
        answers = zip(methods, words[len(sampled) :], strict=True)
        found["methods"] = [(method, text, word) for (method, text), word in answers]
        return found, [note for note in (_note(found, known), self.missing()) if note]

    def _judged(self, row: dict, texts: list[str], known: bool) -> list[str]:
        """Judge texts; without a gold answer they are refusals or not judged."""
        if not known:
            return ["refusal" if is_refusal(text) else "unjudged" for text in texts]
        return list(judge([row] * len(texts), texts, self.p.judge, self.p.match_rule))


def checked(question: str) -> str:
    """Return a question that can be asked.

    Raises
    ------
    ParameterError
        When it is empty, longer than `LONGEST` letters, or holds a mark.
    """
    text = mended(question).strip()
    if not 1 <= len(text) <= LONGEST:
        raise ParameterError(f"the question has {len(text)} letters; 1 to {LONGEST} are allowed")
    if mark := MARK.search(text):
        raise ParameterError(f"the question holds {mark[0]!r}, which models read as a mark")
    return text


def _row(shown: Shown, question: str, answer: str) -> dict[str, Any]:
    """Return the question row, and under `known` whether it is known what is right."""
    given = [text.strip() for text in mended(answer).split(",") if text.strip()]
    right = given or truth(shown.image_id, question)
    return {
        "id": "asked",
        "group": "asked",
        "image": shown.picture,
        "image_id": shown.image_id or shown.name,
        "question": question,
        "answers": right or [],
        "choices": [],
        "source": "asked",
        "split": "test",
        "accepted": [],
        "known": right is not None,
    }


def truth(image_id: str, question: str) -> list[str] | None:
    """Return the world's right answers to a question about one of its pictures.

    Parameters
    ----------
    image_id : str
        "" for pictures of which the world knows nothing.
    question : str

    Returns
    -------
    list of str or None
        The gold answer alone, which stands for all its forms; empty where the picture does not
        hold the answer; None where the world cannot tell.
    """
    if not image_id:
        return None
    scene = world.scene_of(image_id)
    answerable = world.is_answerable(scene, question)
    if answerable is None:
        return None
    return (grammar.truth(scene, question) or [])[:1] if answerable else []


def _described(
    p: Params, row: dict, sampled: list[str], verdicts: list[str], known: bool
) -> dict[str, Any]:
    value = confidence(verdicts) if known else float("nan")
    kind = classify(value, p.delta_known, p.delta_unknown) if known else "not estimated"
    found = {name: row[name] for name in ("id", "image_id", "question", "source", "split")}
    return found | {
        "answers": row["answers"],
        "choices": [],
        "answerable": bool(row["answers"]) if known else None,
        "responses": sampled,
        "verdicts": verdicts,
        "confidence": value,
        "kind": kind,
    }


def _note(row: dict, known: bool) -> str:
    """Return what is to be said about the confidence."""
    if known and row["answerable"]:
        return ""
    if known:
        return "The picture does not hold the answer, so a refusal is right and no answer is."
    text, times = Counter(row["responses"]).most_common(1)[0]
    return (
        f"No right answer is known, so nothing is judged: give one to see a confidence. The most "
        f"frequent response ({text!r}) came {times} of {len(row['responses'])} times."
    )
