"""Continue texts without pictures that begin alike: what they have in common is read once."""

from collections.abc import Hashable, Sequence
from os.path import commonprefix
from types import SimpleNamespace

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from inbol_lib.mllm.picture_features import Features
from inbol_lib.mllm.sampling.continuation import Settings, continue_prompts
from inbol_lib.mllm.sampling.prompts import Prompts


def completed(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[list[int]],
    groups: Sequence[Hashable],
    new_tokens: int,
) -> list[str]:
    """Return the greedy continuation of each text, as `generate(do_sample=False)` does.

    Parameters
    ----------
    model : PreTrainedModel
        A language model whose cache can be shared (`attention.can_share`).
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer, with a pad token.
    texts : sequence of list of int
        Token ids, at least two each.
    groups : sequence of hashable
        Texts of one group are expected to begin alike.
    new_tokens : int
        The longest continuation.
    """
    members: dict[Hashable, list[list[int]]] = {}
    for text, group in zip(texts, groups, strict=True):
        members.setdefault(group, []).append(text)
    trunks = {group: commonprefix([ids[:-1] for ids in alike]) for group, alike in members.items()}
    order = {group: place for place, group in enumerate(trunks)}
    prompts = Prompts(
        trunks=list(trunks.values()),
        pixels=[{}] * len(trunks),
        pictures=list(trunks),
        branches=[ids[len(trunks[group]) :] for ids, group in zip(texts, groups, strict=True)],
        trunk_of=[order[group] for group in groups],
    )
    settings = Settings(n=1, temperature=0.0, top_p=1.0, max_new_tokens=new_tokens)
    only_text = SimpleNamespace(tokenizer=tokenizer)
    drawn = continue_prompts(
        model, only_text, prompts, settings, [None] * len(texts), Features(limit=0)
    )
    return tokenizer.batch_decode(drawn.tokens, skip_special_tokens=True)
