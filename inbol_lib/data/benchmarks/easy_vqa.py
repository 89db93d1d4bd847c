"""Convert easy-VQA (5,000 images, 48,248 questions) into a folder of the documented format.

    python -m inbol_lib.data.benchmarks.easy_vqa easy_vqa/data my_folder

Easy-VQA comes as {train,test}/questions.json, lists of [question, answer, image id], beside {train,test}/images/<id>.png.
A fifth of its training images becomes the validation split.
"""

import argparse
import json
import shutil
from pathlib import Path


def convert(source: Path, target: Path) -> int:
    """Copy the images and write questions.jsonl; returns the number of questions."""
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    with (target / "questions.jsonl").open("w") as out:
        for part in ("train", "test"):
            folder = target / "images" / part
            shutil.copytree(source / part / "images", folder, dirs_exist_ok=True)
            for k, (question, answer, image) in enumerate(
                json.loads((source / part / "questions.json").read_text())
            ):
                split = "validation" if part == "train" and image % 5 == 0 else part
                row = {"id": f"{part}-{k}", "image": f"images/{part}/{image}.png", "question": question,
                       "answers": [answer], "split": split}  # fmt: skip
                out.write(json.dumps(row) + "\n")
                count += 1
    return count


def main() -> None:
    cli = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("source", type=Path, help="the folder that holds train/ and test/")
    cli.add_argument("target", type=Path)
    args = cli.parse_args()
    if lacking := [
        name
        for part in ("train", "test")
        if not (args.source / (name := f"{part}/questions.json")).is_file()
    ]:
        cli.error(
            f"{args.source} lacks {' and '.join(lacking)}; name the folder that holds train/ and test/"
        )
    print(f"{convert(args.source, args.target)} questions written to {args.target}")


if __name__ == "__main__":
    main()
