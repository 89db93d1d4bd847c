"""The paper's claims: what holds is reproduced, in points, beside the paper's own numbers."""

import numpy as np
import pandas as pd
import pytest

from inbol_lib.report import claims
from inbol_lib.report.tables import layout

#: method -> share of right answers, share of refusals
SHARES = {
    "ca_dpo": (0.5, 0.4),
    "idk_it": (0.3, 0.6),
    "sft": (0.5, 0.1),
    "refusal_prompt": (0.48, 0.05),
    "original": (0.45, 0.0),
}


def outcomes(shares=SHARES, source="vqav2", n=600, answerable=True) -> pd.DataFrame:
    """The same `n` questions under every method; most refusals fall where confidence is low."""
    confidence = np.linspace(0, 1, n)
    # some wrong answers are unsure, too
    low, middle = confidence[:30].copy(), confidence[270:300].copy()
    confidence[:30], confidence[270:300] = middle, low
    ids = [f"{source}-{i}" for i in range(n)]
    asked = pd.DataFrame({"id": ids, "image_id": ids, "group": ids, "source": source})
    asked = asked.assign(
        model="micro-s", seed=0, answerable=answerable, confidence=confidence.round(1)
    )
    parts = [
        asked.assign(method=method, outcome=words(right, refused, n))
        for method, (right, refused) in shares.items()
    ]
    return pd.concat(parts, ignore_index=True)


def words(right, refused, n) -> np.ndarray:
    """Refusals, then errors, then right answers, in these shares of `n`."""
    refusals, rights = round(refused * n), round(right * n)
    return np.repeat(["refusal", "incorrect", "correct"], [refusals, n - refusals - rights, rights])


def verdicts(rows) -> dict[str, str]:
    return {row["claim"]: row["verdict"] for row in rows}


def test_what_holds_is_reproduced_and_what_is_turned_round_is_not():
    rows = claims.in_domain("micro-s", outcomes())
    assert len(rows) == 9
    assert set(verdicts(rows).values()) == {"reproduced"}
    swapped = SHARES | {"ca_dpo": SHARES["idk_it"], "idk_it": SHARES["ca_dpo"]}
    turned = verdicts(claims.in_domain("micro-s", outcomes(swapped)))
    assert turned["CA-DPO > IDK-IT in s_trust"] == "not"
    assert turned["IDK-IT refuses most"] == "not"
    assert turned["CA-DPO keeps accuracy near the original's"] == "not"


def test_a_statistic_is_in_points_beside_the_paper_s_own():
    first = claims.in_domain("micro-s", outcomes())[0]
    assert first["ours"] == pytest.approx(100 * (2 * 0.5 + 0.4 - (2 * 0.3 + 0.6)))
    assert first["paper"] == pytest.approx(28.5 - 16.0)  # Table 1, overall, 7B
    assert first["lo"] < first["ours"] < first["hi"]


def test_equal_methods_are_undecided():
    same = outcomes(dict.fromkeys(SHARES, (0.4, 0.3)))
    shuffled = same.groupby("method").outcome.transform(
        lambda said: said.sample(frac=1, random_state=len(said)).to_numpy()
    )
    found = verdicts(claims.in_domain("micro-s", same.assign(outcome=shuffled)))
    assert found["CA-DPO > IDK-IT in s_trust"] == "undecided"


def test_out_of_domain_takes_the_mean_over_the_sets_and_the_best_of_the_others():
    refusing = {"idk_it": (0, 0.8), "original": (0, 0.1), "ca_dpo": (0, 0.7)}
    parts = [outcomes(source=source) for source in layout.OOD]
    parts += [outcomes(refusing, source, answerable=False) for source in layout.UNANSWERABLE]
    rows = claims.out_of_domain("micro-s", pd.concat(parts, ignore_index=True))
    assert rows[0]["ours"] == pytest.approx(100 * (0.4 - 0.2))  # IDK-IT is the best of the others
    assert [row["ours"] for row in rows[1:]] == pytest.approx([70, 70])
    assert rows[1]["paper"] == pytest.approx(76.01 - 9.0)
    assert set(verdicts(rows).values()) == {"reproduced"}


def test_the_best_of_several_settings():
    good, bad, worse = (
        outcomes({"idk_it": share}) for share in ((0.6, 0.2), (0.4, 0.2), (0.3, 0.2))
    )
    (first,) = claims.best_of("best", "Fig. 10", "micro-s", good, [bad, worse])
    assert (first["ours"], first["verdict"]) == (pytest.approx(40), "reproduced")
    (second,) = claims.best_of("best", "Fig. 10", "micro-s", bad, [good, worse])
    assert second["verdict"] == "not"
    assert claims.best_of("best", "Fig. 10", "micro-s", good, []) == []
