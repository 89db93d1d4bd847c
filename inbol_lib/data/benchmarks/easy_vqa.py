"""Convert easy-VQA (5,000 images, 48,248 questions) into a folder of the documented format.

    python -m inbol_lib.data.benchmarks.easy_vqa easy_vqa/data my_folder

Easy-VQA comes as {train,test}/questions.json, lists of [question, answer, image id], beside
{train,test}/images/<id>.png. A fifth of its training images becomes the validation split.
"""

import argparse
import json
import shutil
from pathlib import Path

PARTS = ("train", "test")


def convert(source: Path, target: Path) -> int:
    """Copy the images, write questions.jsonl and return the number of questions."""
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    with (target / "questions.jsonl").open("w") as out:
        for part in PARTS:
            images = target / "images" / part
            shutil.copytree(source / part / "images", images, dirs_exist_ok=True)
            asked = json.loads((source / part / "questions.json").read_text())
            for number, (question, answer, image) in enumerate(asked):
                row = {
                    "id": f"{part}-{number}",
                    "image": f"images/{part}/{image}.png",
                    "question": question,
                    "answers": [answer],
                    "split": _split(part, image),
                }
                out.write(json.dumps(row) + "\n")
            count += len(asked)
    return count


def _split(part: str, image: int) -> str:
    return "validation" if part == "train" and image % 5 == 0 else part


def main() -> None:
    """Convert from the command line."""
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("source", type=Path, help="the folder that holds train/ and test/")
    cli.add_argument("target", type=Path)
    args = cli.parse_args()
    files = [f"{part}/questions.json" for part in PARTS]
    missing = [name for name in files if not (args.source / name).is_file()]
    if missing:
        cli.error(
            f"{args.source} lacks {' and '.join(missing)}; "
            "name the folder that holds train/ and test/"
        )
    print(f"{convert(args.source, args.target)} questions written to {args.target}")


if __name__ == "__main__":
    main()
