"""MMMU: college exams with figures (Yue et al., 2024), the 900 validation questions: 847 multiple choice and 53 open ones.

A question with several images is asked with the first alone, as MMMU's own code asks models that take one; "<image 2>" then stands in the
text without an image. The paper's 900 questions leave none out.
"""

from inbol_lib.data.benchmarks.base import Benchmark, Hub
from inbol_lib.data.benchmarks.hub_tables import listed
from inbol_lib.data.records import LETTERS

#: one config each in MMMU's own repository
SUBJECTS = (
    "Accounting", "Agriculture", "Architecture_and_Engineering", "Art", "Art_Theory", "Basic_Medical_Science", "Biology", "Chemistry",
    "Clinical_Medicine", "Computer_Science", "Design", "Diagnostics_and_Laboratory_Medicine", "Economics", "Electronics",
    "Energy_and_Power", "Finance", "Geography", "History", "Literature", "Manage", "Marketing", "Materials", "Math",
    "Mechanical_Engineering", "Music", "Pharmacy", "Physics", "Psychology", "Public_Health", "Sociology",
)  # fmt: skip


def question(row: dict, number: int) -> dict:
    choices, gold = listed(row["options"]), row["answer"]
    answers = (
        [choices[LETTERS.index(gold)]] if choices else listed(gold)
    )  # of the open ones three have several golds
    return {
        "id": row["id"],
        "image": row["image_1"],
        "question": row["question"],
        "choices": choices,
        "answers": answers,
    }


BENCHMARK = Benchmark(
    name="mmmu", title="MMMU", licence="Apache-2.0", size="0.4 GB", splits={"test": "validation"}, published={"validation": ((900, 900),)},
    files={"validation": {}}, images="the parquet files hold the images", official=lambda home, split: [], question=question,
    hub=(Hub("MMMU/MMMU", SUBJECTS), Hub("lmms-lab/MMMU"), Hub("lmms-lab-encoder/MMMU")),
    note="Its official release is the Hub's: a copy of its folders. Of several images the first alone is shown.",
)  # fmt: skip
