"""MMMU: college exams with figures (Yue et al., 2024), the 900 validation questions.

847 are multiple choice and 53 open. A question with several images is asked with the first alone,
as MMMU's own code asks models that take one; "<image 2>" then stands in the text without an image.
The paper's 900 questions leave none out.
"""

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.hub_tables import Hub, listed
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.records import LETTERS

#: one config each in MMMU's own repository
SUBJECTS = tuple(
    """
    Accounting Agriculture Architecture_and_Engineering Art Art_Theory Basic_Medical_Science Biology
    Chemistry Clinical_Medicine Computer_Science Design Diagnostics_and_Laboratory_Medicine
    Economics Electronics Energy_and_Power Finance Geography History Literature Manage Marketing
    Materials Math Mechanical_Engineering Music Pharmacy Physics Psychology Public_Health Sociology
    """.split()
)


def question(row: dict, number: int) -> dict:
    """Return the question of a row; some open ones have several right answers."""
    choices, gold = listed(row["options"]), row["answer"]
    answers = [choices[LETTERS.index(gold)]] if choices else listed(gold)
    return {
        "id": row["id"],
        "image": row["image_1"],
        "question": row["question"],
        "choices": choices,
        "answers": answers,
    }


BENCHMARK = Benchmark(
    name="mmmu",
    title="MMMU",
    licence="Apache-2.0",
    size="0.4 GB",
    splits={"test": "validation"},
    published={"validation": (Count(900, 900),)},
    files={"validation": {}},
    images="the parquet files hold the images",
    official=lambda home, split: [],
    question=question,
    hub=(Hub("MMMU/MMMU", SUBJECTS), Hub("lmms-lab/MMMU"), Hub("lmms-lab-encoder/MMMU")),
    note=(
        "Its official release is the Hub's: a copy of its folders. "
        "Of several images the first alone is shown."
    ),
)
