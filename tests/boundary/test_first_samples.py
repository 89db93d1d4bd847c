"""The first samples of a record make the record that they would have made alone."""

from datasets import Dataset

from inbol_lib.boundary.confidence import first_samples, standard_records
from inbol_lib.data import records


def questions(n):
    blank = {
        "image": None,
        "image_id": "i",
        "question": "?",
        "answers": ["red"],
        "choices": [],
        "source": "vqav2",
        "split": "train",
        "group": "g",
        "accepted": [],
    }
    rows = Dataset.from_list([{"id": str(i), **blank} for i in range(n)])
    return rows.cast(records.QUESTION_FEATURES)


def test_the_first_samples_make_the_records_as_if_no_more_had_been_drawn():
    said = [["red", "blue", "red", "red"]] * 3
    found = [["correct", "incorrect", "correct", "correct"]] * 3
    whole = standard_records(questions(3), said, found, 0)
    assert whole["confidence"][:] == [0.75] * 3
    assert first_samples(whole, 0, 0) is whole
    two = first_samples(whole, 2, 0)
    assert two["confidence"][:] == [0.5] * 3
    assert two["responses"][0] == ["red", "blue"]
    cut_said, cut_found = [texts[:2] for texts in said], [words[:2] for words in found]
    alone = standard_records(questions(3), cut_said, cut_found, 0)
    assert two.to_list() == alone.to_list()
