"""easy-VQA, a world that nobody here made: the study on it, from the public package.

    pip install easy-vqa
    python -m inbol_lib.report.worlds.easy_vqa        (figures/easy_vqa_*; minutes for each seed)

The package holds 5,000 pictures of coloured shapes with 48,000 questions and 13 answers. The
settings are those of the profile micro; nothing is tuned on these data.
"""

import argparse
import hashlib
import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from inbol_lib import params, paths
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.report import claims
from inbol_lib.report.tables import control_tables, files, numbered

NAME = "easy_vqa"
SEEDS = range(5)
#: What a small model makes of a few thousand questions; the rest is as in the profile micro.
SIZES = {
    "unanswerable_generator": "micro-s",
    "verifier": "micro-s",
    "ood_sources": [],
    "train_questions": 4000,
    "num_instructions": 1600,
    "num_pairs": 2400,
    "num_unanswerable": 600,
    "test_questions": 4000,
    "test_per_source": 900,
    "test_unanswerable": 300,
}


def installed() -> Path:
    """Return the data folder of the installed package.

    Raises
    ------
    ParameterError
        Without the package.
    """
    found = importlib.util.find_spec(NAME)
    if found is None or found.origin is None:
        raise ParameterError("the package easy-vqa is not there: pip install easy-vqa")
    return Path(found.origin).parent / "data"


def export(source: Path, target: Path) -> Path:
    """Write the package's data as a folder that `folder:` reads, and return it.

    Its test pictures stay test pictures; one in five of its training pictures, chosen by a hash of
    its name, is for validation. A folder that is there already is kept.

    Parameters
    ----------
    source : pathlib.Path
        A folder with `train` and `test`, each with `questions.json` (question, answer and number
        of the picture) and `images`.
    target : pathlib.Path
        The new folder.
    """
    if (target / "questions.jsonl").is_file():
        return target
    (target / "images").mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row) for part in ("train", "test") for row in _rows(source, target, part)]
    (target / "questions.jsonl").write_text("\n".join(lines) + "\n")
    return target


def _rows(source: Path, target: Path, part: str) -> Iterator[dict]:
    """Copy the pictures of one part, and yield the rows of its questions."""
    asked = json.loads((source / part / "questions.json").read_text())
    for number in sorted({image for _, _, image in asked}):
        picture = source / part / "images" / f"{number}.png"
        shutil.copy(picture, target / "images" / f"{part}-{number}.png")
    for place, (question, answer, number) in enumerate(asked):
        image = f"images/{part}-{number}.png"
        yield {
            "id": f"{part}-{place}",
            "image": image,
            "question": question,
            "answers": [answer],
            "split": _split(part, image),
        }


def _split(part: str, image: str) -> str:
    if part == "test":
        return "test"
    return "train" if hashlib.sha256(image.encode()).digest()[0] % 5 else "validation"


def settings(folder: Path) -> Params:
    """Return the parameters of the study on an exported folder."""
    return params.load("micro", dataset=f"folder:{folder.resolve()}", **SIZES)


def publish(outcomes: pd.DataFrame, target: Path) -> pd.DataFrame:
    """Write what the study on easy-VQA found, and return the verdicts on the paper's claims.

    These are the outcomes, Table 1, the same by what the original model knows, and the verdicts.
    """
    outcomes.to_parquet(target / f"{NAME}_outcomes.parquet", index=False)
    note = f"easy-VQA, {outcomes.seed.nunique()} training seeds, {outcomes.id.nunique()} questions."
    verdicts = pd.DataFrame(
        [row for model, mine in outcomes.groupby("model") for row in claims.in_domain(model, mine)]
    )
    files.save_table_files(numbered.table1(outcomes), target, f"{NAME}_table1", note)
    files.save_table_files(control_tables.by_kind(outcomes), target, f"{NAME}_kinds", note)
    files.save_table_files(verdicts, target, f"{NAME}_claims", note)
    return verdicts


def main() -> None:
    """Run the study on easy-VQA with all seeds, and publish it."""
    from inbol_lib.study import stages  # slow to import

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=paths.runs() / "data" / NAME)
    parser.add_argument("--out", type=Path, default=paths.ROOT / "figures")
    given = parser.parse_args()
    p = settings(export(installed(), given.folder))
    done = [stages.ensure("evaluation", p.replace(seed=seed)) for seed in SEEDS]
    outcomes = pd.concat([pd.read_parquet(folder / "outcomes.parquet") for folder in done])
    print(publish(outcomes.reset_index(drop=True), given.out).to_string(index=False))


if __name__ == "__main__":
    main()
