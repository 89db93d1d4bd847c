"""Minimal pairs and blind pictures as tables."""

import pandas as pd
import pytest

from inbol_lib.report.tables import layout, picture_controls


def outcome(source, group, said, answerable, method="ca_dpo"):
    return {
        "model": "micro-s",
        "method": method,
        "seed": 0,
        "source": source,
        "group": group,
        "id": f"{group}-{answerable}",
        "image_id": f"{group}-{answerable}",
        "outcome": said,
        "answerable": answerable,
    }


def pair(edit, number, full, empty, method="ca_dpo"):
    group = f"{edit}-{number}"
    source = f"pairs_{edit}"
    return [
        outcome(source, group, full, True, method),
        outcome(source, group, empty, False, method),
    ]


def test_a_pair_is_won_by_answering_the_one_and_refusing_the_other():
    table = pd.DataFrame(
        [
            *pair("removed", 0, "correct", "refusal"),
            *pair("removed", 1, "correct", "incorrect"),
            *pair("removed", 2, "refusal", "refusal"),
            *pair("covered", 3, "incorrect", "refusal"),
        ]
    )
    found = picture_controls.pairs(table).set_index("edit")
    assert list(found.index) == ["covered", "removed", "all"]
    assert found.loc["removed", ["right", "refused", "both"]].tolist() == pytest.approx(
        [200 / 3, 200 / 3, 100 / 3]
    )
    assert found.loc["all", "both"] == 25
    assert found.loc["all", "n"] == 4


@pytest.mark.parametrize("always", ["refusal", "correct"])
def test_who_always_does_the_same_wins_no_pair(always):
    table = pd.DataFrame([row for n in range(6) for row in pair("removed", n, always, always)])
    if always == "correct":  # nothing is right about what has no answer
        table.loc[~table.answerable, "outcome"] = "incorrect"
    assert (picture_controls.pairs(table).both == 0).all()


def test_blind_rows_stand_beside_those_of_the_real_pictures():
    table = pd.DataFrame(
        [outcome("blind_real", f"q{n}", "correct" if n else "refusal", True) for n in range(4)]
        + [outcome("uavqa", "u", "refusal", False)]
        + [outcome("blind_grey", f"b{n}", "refusal", True) for n in range(4)]
    )
    found = picture_controls.blind(table).set_index("picture")
    assert found.refr.to_dict() == {"real": 25, "grey": 100}
    assert found.n.tolist() == [4, 4]
    assert len(layout.in_domain(table)) == 1
