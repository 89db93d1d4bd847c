"""Continue a prompt many times: the fast core of sampling.

The prompt has been read once (`reading`), and one copy of its cache serves all continuations. A
question stays one row of the batch: in each step its `n` continuations are `n` tokens of this row,
under a mask that shows each of them the prompt and its own past alone. A continuation that has
ended leaves its row, and questions whose continuations have all ended leave the batch together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from transformers import PreTrainedModel, ProcessorMixin
from transformers.cache_utils import Cache

from inbol_lib.mllm.attention import additive
from inbol_lib.mllm.chat import stop_ids
from inbol_lib.mllm.picture_features import Features
from inbol_lib.mllm.sampling.prompts import Prompts
from inbol_lib.mllm.sampling.reading import PROMPT, Read, read

#: The largest share of a batch's rows that still go on at which the others leave the cache, which
#: costs a copy of it.
WORTH_A_COPY = 0.75


class Settings(NamedTuple):
    """How to sample.

    `n` continuations of at most `max_new_tokens` tokens each; `temperature` 0 is greedy; `top_p` in
    (0, 1] is the probability that the nucleus holds at least.
    """

    n: int
    temperature: float
    top_p: float
    max_new_tokens: int


class Drawn(NamedTuple):
    """What was sampled for a batch; the `n` rows of a question follow each other.

    `tokens` has the shape `(questions * n, length)` and is padded on the right; `logprobs`, in
    nats, has the shape `(questions * n,)`.
    """

    tokens: torch.Tensor
    logprobs: torch.Tensor


@dataclass
class State:
    """The questions that still go on, and which continuation each of their tokens belongs to.

    Attributes
    ----------
    questions : torch.Tensor
        `(rows, 1)`: the place of each row's question in the batch.
    slots : torch.Tensor
        `(rows, width)`: the number of each newest token's continuation, or `n` for padding.
    alive : torch.Tensor
        `(rows, width)`: whether the continuation still goes on.
    owners : torch.Tensor
        `(rows, length)`: the owner of each token in the cache: a number as in `slots`, or PROMPT.
    cache : Cache
        The keys and values of prompts and continuations.
    """

    questions: torch.Tensor
    slots: torch.Tensor
    alive: torch.Tensor
    owners: torch.Tensor
    cache: Cache

    @classmethod
    def start(cls, prompts: Read, n: int) -> "State":
        """Return the state behind prompts."""
        rows, device = len(prompts.owners), prompts.owners.device
        slots = torch.arange(n, device=device).expand(rows, n)
        return cls(
            questions=prompts.questions[:, None],
            slots=slots,
            alive=torch.ones_like(slots, dtype=torch.bool),
            owners=prompts.owners,
            cache=prompts.cache,
        )

    def living(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return question and continuation of all tokens whose continuation goes on."""
        return self.questions.expand_as(self.slots)[self.alive], self.slots[self.alive]

    def drop_ended_questions(self, token: torch.Tensor) -> torch.Tensor:
        """Drop the rows in which nothing goes on, if they are many; return the rest of `token`."""
        kept = self.alive.any(1).nonzero()[:, 0]
        if len(kept) > WORTH_A_COPY * len(self.questions):
            return token
        self.cache.batch_select_indices(kept)
        self.questions = self.questions[kept]
        self.slots = self.slots[kept]
        self.owners = self.owners[kept]
        self.alive = self.alive[kept]
        return token[kept]

    def move_living_to_front(self, token: torch.Tensor, n: int) -> torch.Tensor:
        """Move what goes on to the front of its row; return `token`, `(rows, width)`, moved alike.

        The new width is that of the fullest row; other rows end in padding.
        """
        width = int(self.alive.sum(1).max())
        front = (~self.alive).long().argsort(dim=1, stable=True)[:, :width]
        self.alive = self.alive.gather(1, front)
        self.slots = self.slots.gather(1, front).where(self.alive, n)
        return token.gather(1, front)

    def add_to_owners(self) -> None:
        """Note the owners of the newest tokens, which the next step puts into the cache."""
        self.owners = torch.cat([self.owners, self.slots], 1)

    def seen(self) -> torch.Tensor:
        """Return `(rows, width, length)`: which cached tokens each newest token may attend to."""
        prompt = self.owners[:, None] == PROMPT
        own_past = self.owners[:, None] == self.slots[..., None]
        return prompt | own_past

    def positions(self, step: int) -> torch.Tensor:
        """Return `(rows, width)`: the positions of the newest tokens, as in a text of their own."""
        prompt_lengths = (self.owners == PROMPT).sum(1, keepdim=True)
        return prompt_lengths.expand_as(self.slots) + step


@torch.inference_mode()
def continue_prompts(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    prompts: Prompts,
    settings: Settings,
    streams: Sequence[np.random.Generator],
    features: Features,
) -> Drawn:
    """Sample `settings.n` continuations of every prompt in a batch.

    Parameters
    ----------
    model, processor
        A model whose cache can be shared (`attention.can_share`), and its processor.
    prompts : Prompts
        As `prompts.written` gives them.
    settings : Settings
        How many continuations to draw, and how.
    streams : Sequence[np.random.Generator]
        One random stream for each question, so that its neighbours do not matter.
    features : Features
        Keeps the features of pictures for later.
    """
    n, last_step = settings.n, settings.max_new_tokens - 1
    stops = stop_ids(model, processor)
    behind = read(model, prompts, features, spare=n * min(settings.max_new_tokens, 16))
    logits = behind.logits[:, None].expand(-1, n, -1)
    state = State.start(behind, n)
    drawn = _nothing_drawn(len(streams), settings, processor, model.device)
    noise = _noise(streams, settings, model.device)
    for step in range(settings.max_new_tokens):
        uniform = _uniform(noise, state, step, n)
        token = choose(logits, settings.temperature, settings.top_p, uniform)
        _record(drawn, state, step, token, logits)
        state.alive = state.alive & ~torch.isin(token, stops)
        if step == last_step or not state.alive.any():
            break
        token = state.drop_ended_questions(token)
        token = state.move_living_to_front(token, n)
        state.add_to_owners()
        logits = _next_logits(model, state, token, step)
    return Drawn(drawn.tokens.flatten(0, 1).cpu(), drawn.logprobs.flatten().cpu())


def choose(
    logits: torch.Tensor, temperature: float, top_p: float, uniform: torch.Tensor | None
) -> torch.Tensor:
    """Return next tokens, greedily or by inverting the cumulative distribution.

    The nucleus of `top_p` is the smallest set of most probable tokens that together reach it.
    Tokens keep the order of the vocabulary, so that rounding cannot swap two tokens of nearly equal
    probability.

    Parameters
    ----------
    logits : torch.Tensor
        Shape `(..., vocabulary)`.
    temperature, top_p : float
        As in `Settings`; they do not matter where it is greedy.
    uniform : torch.Tensor | None
        Numbers in [0, 1), shape `(...)`, at which to invert; None is greedy.
    """
    if uniform is None:
        return logits.argmax(-1)
    probabilities = torch.softmax(logits.double() / temperature, -1)
    if top_p < 1:
        ranked, order = probabilities.sort(dim=-1, descending=True)
        outside = ranked.cumsum(-1) - ranked >= top_p
        probabilities = probabilities.scatter(-1, order, ranked.masked_fill(outside, 0))
    total = probabilities.cumsum(-1)
    target = uniform.clamp(max=1 - 1e-12)[..., None] * total[..., -1:]
    return torch.searchsorted(total, target, right=True)[..., 0]


def _next_logits(
    model: PreTrainedModel, state: State, token: torch.Tensor, step: int
) -> torch.Tensor:
    """Read the newest tokens into the cache; return the logits, `(rows, width, vocabulary)`."""
    out = model(
        input_ids=token,
        attention_mask=additive(state.seen(), model),
        position_ids=state.positions(step),
        past_key_values=state.cache,
        use_cache=True,
    )
    return out.logits.float()


def _nothing_drawn(
    questions: int, settings: Settings, processor: ProcessorMixin, device: torch.device
) -> Drawn:
    """Return pad tokens `(questions, n, max_new_tokens)` and log-probabilities of 0, to fill in."""
    shape = (questions, settings.n)
    pad = processor.tokenizer.pad_token_id
    return Drawn(
        tokens=torch.full((*shape, settings.max_new_tokens), pad, device=device),
        logprobs=torch.zeros(shape, dtype=torch.float64, device=device),
    )


def _noise(
    streams: Sequence[np.random.Generator], settings: Settings, device: torch.device
) -> torch.Tensor | None:
    """Return numbers in [0, 1), `(questions, n, max_new_tokens)`; None where it is greedy."""
    if not settings.temperature:
        return None
    shape = (settings.n, settings.max_new_tokens)
    return torch.from_numpy(np.stack([stream.random(shape) for stream in streams])).to(device)


def _uniform(noise: torch.Tensor | None, state: State, step: int, n: int) -> torch.Tensor | None:
    """Return the noise of one step, `(rows, width)`; what padding gets does not matter."""
    return None if noise is None else noise[state.questions, state.slots.clamp(max=n - 1), step]


def _record(
    drawn: Drawn, state: State, step: int, token: torch.Tensor, logits: torch.Tensor
) -> None:
    """Enter the tokens of a step, and add their log-probabilities, for all that goes on."""
    questions, slots = state.living()
    drawn.tokens[questions, slots, step] = token[state.alive]
    logprobs = torch.log_softmax(logits, -1).gather(2, token[..., None])[..., 0]
    drawn.logprobs[questions, slots] += logprobs[state.alive]
