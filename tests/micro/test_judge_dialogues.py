"""The judge learns which answers mean the same."""

import numpy as np

from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.judge_dialogues import answer_kinds, judge_examples


def test_no_surface_form_means_two_things_of_one_kind():
    for kind in answer_kinds():
        forms = [(form, gold) for gold in set(kind) for form in grammar.surfaces(gold)]
        assert len({form for form, _ in forms}) == len(forms)


def test_judge_examples_are_balanced_and_true():
    examples = list(judge_examples(400, 0))
    assert examples == list(judge_examples(400, 0))
    assert 0.4 < np.mean([same for *_, same in examples]) < 0.6
    assert all((response in grammar.surfaces(gold)) == same for gold, response, same in examples)
