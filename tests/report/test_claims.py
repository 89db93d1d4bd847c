import numpy as np
import pandas as pd
import pytest

from inbol_lib.report import claims
from inbol_lib.report.tables import layout

SHARES = {
    "ca_dpo": (0.5, 0.4),
    "idk_it": (0.3, 0.6),
    "sft": (0.5, 0.1),
    "refusal_prompt": (0.48, 0.05),
    "original": (0.45, 0.0),
}


def outcomes(shares=None, source="vqav2", n=600, answerable=True) -> pd.DataFrame:
    """The same `n` questions under every method; `shares`: method -> (right, refused). Most refusals fall where confidence is low."""
    confidence, rows = np.linspace(0, 1, n), []
    confidence[:30], confidence[270:300] = (
        confidence[270:300].copy(),
        confidence[:30].copy(),
    )  # some wrong answers are unsure, too
    for method, (right, refused) in (shares or SHARES).items():
        words = np.repeat(
            ["refusal", "incorrect", "correct"],
            [round(refused * n), n - round(refused * n) - round(right * n), round(right * n)],
        )
        rows.append(pd.DataFrame({"id": [f"{source}-{i}" for i in range(n)], "source": source, "method": method, "outcome": words,
                                  "confidence": confidence.round(1)}))  # fmt: skip
    table = pd.concat(rows, ignore_index=True)
    return table.assign(
        image_id=table.id, group=table.id, model="micro-s", seed=0, answerable=answerable
    )


def verdicts(rows) -> dict[str, str]:
    return {row["claim"]: row["verdict"] for row in rows}


def test_what_holds_is_reproduced_and_what_is_turned_round_is_not():
    rows = claims.in_domain("micro-s", outcomes())
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
    noisy = same.assign(
        outcome=same.groupby("method").outcome.transform(
            lambda s: s.sample(frac=1, random_state=len(s)).to_numpy()
        )
    )
    assert verdicts(claims.in_domain("micro-s", noisy))["CA-DPO > IDK-IT in s_trust"] == "undecided"


def test_out_of_domain_takes_the_mean_over_the_sets_and_the_best_of_the_others():
    parts = [outcomes(source=s) for s in layout.OOD]
    parts += [
        outcomes(
            {"idk_it": (0, 0.8), "original": (0, 0.1), "ca_dpo": (0, 0.7)}, s, answerable=False
        )
        for s in layout.UNANSWERABLE
    ]
    rows = claims.out_of_domain("micro-s", pd.concat(parts, ignore_index=True))
    assert rows[0]["ours"] == pytest.approx(100 * (0.4 - 0.2))  # IDK-IT is the best of the others
    assert [r["ours"] for r in rows[1:]] == pytest.approx([70, 70])
    assert rows[1]["paper"] == pytest.approx(76.01 - 9.0)
    assert set(verdicts(rows).values()) == {"reproduced"}


def test_the_best_of_several_settings():
    good, bad, worse = (
        outcomes({"idk_it": share}) for share in ((0.6, 0.2), (0.4, 0.2), (0.3, 0.2))
    )
    trust = claims.value("s_trust")
    (first,) = claims.best_of("best", "Fig. 10", "micro-s", good, [bad, worse], trust)
    assert (first["ours"], first["verdict"]) == (pytest.approx(40), "reproduced")
    assert (
        claims.best_of("best", "Fig. 10", "micro-s", bad, [good, worse], trust)[0]["verdict"]
        == "not"
    )
    assert claims.best_of("best", "Fig. 10", "micro-s", good, [], trust) == []
