"""How questions are arranged in a batch: rows, positions, visibility and parts (ours).

A row is a tree: a picture, its questions, their responses. The start that its prompts share, which
holds the picture, is read once; behind it stand, one after another, each question's own rest and
its responses. All pure functions of lists and integer tensors, without a model.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from inbol_lib.training.collating import padded

SHARED, PADDING = -1, -2  # questions that are none; a row's questions are 0, 1, 2, ...
PROMPT = -1  # the response of a token that belongs to no response; responses are 0, 1 and 2


class Question(NamedTuple):
    """One question of a row, tokenized."""

    prompt: list[int]
    responses: list[list[int]]  # [] for one that is missing
    place: int = 0  # the question's number in the batch


class Layout(NamedTuple):
    """Where everything lies in a batch of rows, and what predicts what.

    `keep` marks the tokens whose logits predict something. `source`, `target` and `owner` have an
    entry for each token of a response: which of the kept logits predicts it, the token itself, and
    the question and the number of the response that it belongs to.
    """

    tokens: torch.Tensor  # (rows, length), padded on the right
    positions: torch.Tensor  # (rows, length): the position that the model gives each token
    question: torch.Tensor  # (rows, length): SHARED, PADDING or the number of the row's question
    response: torch.Tensor  # (rows, length): PROMPT or the number of the question's response
    keep: torch.Tensor  # (rows, length), booleans
    source: torch.Tensor  # (targets,)
    target: torch.Tensor  # (targets,)
    owner: torch.Tensor  # (targets, 2)
    head: int  # so many tokens at the start of every row are shared and predict nothing
    plain: bool  # whether each row is an ordinary text: one question, one response


class _Row:
    """A row in the making: four lists of the same length, and its targets."""

    def __init__(self, questions: Sequence[Question]):
        self.tokens, self.positions, self.question, self.response = [], [], [], []
        self.targets: list[tuple[int, int, int, int]] = []  # place of source, token, owner's two
        self.shared = shared_start([question.prompt for question in questions])
        self._append(questions[0].prompt[: self.shared], 0, SHARED, PROMPT)
        for number, question in enumerate(questions):
            self._append_question(number, question)

    def _append(self, tokens: list[int], position: int, question: int, response: int) -> None:
        self.tokens += tokens
        self.positions += range(position, position + len(tokens))
        self.question += [question] * len(tokens)
        self.response += [response] * len(tokens)

    def _append_question(self, number: int, question: Question) -> None:
        rest = question.prompt[self.shared :]
        self._append(rest, self.shared, number, PROMPT)
        end = (len(self.tokens) if rest else self.shared) - 1  # the last token of the prompt
        for which, response in enumerate(question.responses):
            begin = len(self.tokens)
            self._append(response, len(question.prompt), number, which)
            sources = [end, *range(begin, len(self.tokens) - 1)]
            for source, token in zip(sources, response, strict=False):
                self.targets.append((source, token, question.place, which))


def lay_out(rows: Sequence[Sequence[Question]], padding_token: int) -> Layout:
    """Put the questions of each row one after another behind the start of their prompts.

    Parameters
    ----------
    rows : sequence of sequences of Question
        The questions of each row, at least one.
    padding_token : int
        Fills up the shorter rows.

    Returns
    -------
    Layout
        Integer tensors.

    Examples
    --------
    Two questions share two tokens. The first has responses of two and one tokens; a third is
    missing. Each token has the position that it would have alone.

    >>> row = [Question([10, 11, 12], [[20, 21], [], [30]]), Question([10, 11, 13, 14], [[40]], 1)]
    >>> layout = lay_out([row], padding_token=0)
    >>> layout.tokens
    tensor([[10, 11, 12, 20, 21, 30, 13, 14, 40]])
    >>> layout.question
    tensor([[-1, -1,  0,  0,  0,  0,  1,  1,  1]])
    >>> layout.response
    tensor([[-1, -1, -1,  0,  0,  2, -1, -1,  0]])
    >>> layout.positions
    tensor([[0, 1, 2, 3, 4, 3, 2, 3, 4]])
    >>> layout.keep.int()  # 12 predicts 20 and 30, 20 predicts 21, and 14 predicts 40
    tensor([[0, 0, 1, 1, 0, 0, 0, 1, 0]], dtype=torch.int32)
    >>> layout.source
    tensor([0, 1, 0, 2])
    >>> layout.owner.tolist()
    [[0, 0], [0, 0], [0, 2], [1, 0]]
    """
    made = [_Row(questions) for questions in rows]
    tokens = padded([row.tokens for row in made], padding_token)
    keep = torch.zeros(tokens.shape, dtype=torch.bool)
    for number, row in enumerate(made):
        keep[number, [source for source, *_ in row.targets]] = True
    of_place = (keep.flatten().cumsum(0) - 1).view(keep.shape)  # numbers the kept logits
    targets = [(number, *target) for number, row in enumerate(made) for target in row.targets]
    flat = torch.tensor(targets).view(-1, 5)
    return Layout(
        tokens=tokens,
        positions=padded([row.positions for row in made], 0),
        question=padded([row.question for row in made], PADDING),
        response=padded([row.response for row in made], PROMPT),
        keep=keep,
        source=of_place[flat[:, 0], flat[:, 1]],
        target=flat[:, 2],
        owner=flat[:, 3:],
        head=max(0, min(row.shared for row in made) - 1),
        plain=all(len(row) == 1 and sum(map(bool, row[0].responses)) == 1 for row in rows),
    )


def shared_start(prompts: Sequence[list[int]]) -> int:
    """Return how many tokens all prompts begin with; the whole length if there is one prompt.

    Examples
    --------
    >>> shared_start([[1, 2, 3], [1, 2, 4, 5]])
    2
    """
    first, last = min(prompts), max(prompts)  # in the order of a dictionary
    for place, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            return place
    return min(len(first), len(last))


def row_length(questions: Sequence[Question]) -> int:
    """Return the tokens of a row of these questions, without padding.

    Examples
    --------
    >>> row_length([Question([10, 11, 12], [[20, 21], [30]]), Question([10, 11, 13, 14], [[40]])])
    9
    """
    shared = shared_start([question.prompt for question in questions])
    own = [
        len(question.prompt) - shared + sum(map(len, question.responses)) for question in questions
    ]
    return shared + sum(own)


def visible(question: torch.Tensor, response: torch.Tensor, start: int = 0) -> torch.Tensor:
    """Tell which token sees which, as if each response stood alone behind its prompt.

    A token sees the shared start, its own question, and what its own response has said so far.
    Padding sees the shared start and padding, but no other token sees padding.

    Parameters
    ----------
    question, response : torch.Tensor, shape (rows, length)
        As in `Layout`.
    start : int
        The first token that looks; those before it are left out of the second axis.

    Returns
    -------
    torch.Tensor, shape (rows, length - start, length)
        True where the token of the second axis sees the token of the third.

    Examples
    --------
    A shared token, a question with a token and two responses of one token, another question.

    >>> question = torch.tensor([[SHARED, 0, 0, 0, 1]])
    >>> visible(question, torch.tensor([[PROMPT, PROMPT, 0, 2, 0]])).int()
    tensor([[[1, 0, 0, 0, 0],
             [1, 1, 0, 0, 0],
             [1, 1, 1, 0, 0],
             [1, 1, 0, 1, 0],
             [1, 0, 0, 0, 1]]], dtype=torch.int32)
    """
    looking = question[:, start:, None], response[:, start:, None]
    return sees(*looking, question[:, None], response[:, None]).tril(start)


def sees(
    question: torch.Tensor,
    response: torch.Tensor,
    other_question: torch.Tensor,
    other_response: torch.Tensor,
) -> torch.Tensor:
    """Tell whether a token sees an earlier one, or itself, by the questions and responses of both.

    Parameters
    ----------
    question, response : torch.Tensor
        Of the token that looks.
    other_question, other_response : torch.Tensor
        Of the token looked at.

    Returns
    -------
    torch.Tensor
        Booleans of the common shape.
    """
    same_response = (other_response == PROMPT) | (other_response == response)
    return (other_question == SHARED) | ((other_question == question) & same_response)
