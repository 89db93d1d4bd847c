"""What every benchmark shares: where its rows lie, whether all are there, which are drawn, and their pictures.

A benchmark lies in <root>/<name>/ as its official files, or as a copy of its Hub repository (`hf download REPO --repo-type dataset
--local-dir <root>/<name>`, with `--revision COMMIT` to pin it), whose parquet files are read. COCO's photographs may lie in
<root>/coco/{train2014,val2014,val2017}/, once for all that ask about them.
"""

import heapq
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset, concatenate_datasets, load_dataset
from PIL import Image as Pictures

from inbol_lib.data.benchmarks.hub_tables import rgb, unread
from inbol_lib.data.benchmarks.release_files import digest, located
from inbol_lib.data.records import QUESTION_FEATURES
from inbol_lib.errors import ParameterError

HELD_OUT = 10  # one image in ten of a release's training split is our validation split, where the release has none to spare (ours)
SHOWN = 20  # missing pictures that are listed


@dataclass(frozen=True)
class Hub:
    """A repository of the Hugging Face Hub, and the configs of it that are read (None: its only one)."""

    repo: str
    configs: tuple[str | None, ...] = (None,)


@dataclass(frozen=True)
class Benchmark:
    """One data set: how to read it, how large it is said to be, and where it is to be had."""

    name: str  # the `source` of its questions
    title: str
    licence: str
    size: str  # of the download, for people
    splits: dict[str, str]  # train, validation, test -> the release's split
    #: of the release's split, one for each published version: rows, and base questions that are taken of them (None: not known)
    published: dict[str, tuple[tuple[int, int | None], ...]]
    files: dict[
        str, dict[str, str]
    ]  # the release's split -> file, or patterns divided by "|" -> where it is to be had
    images: str  # where the pictures are to be had, and where they belong
    official: Callable[
        [Path, str], Iterable[dict]
    ]  # rows of a release's split in a folder, each with `image`, a Picture
    question: Callable[
        [dict, int], dict | None
    ]  # of a row and its number: the Question's own columns, None for a row not taken
    hub: tuple[Hub, ...] = ()  # tried in this order
    hub_splits: dict[str, str] | None = (
        None  # the release's split -> the Hub's, where their names differ
    )
    join: Callable[[list[Dataset]], Iterable[dict]] | None = (
        None  # the rows of the configs' tables, where they are not simply chained
    )
    rotations: int = 1  # most rows that share a `group`
    note: str = ""

    def release(self, split: str) -> str:
        """The release's name of our `split`. Raises ParameterError with the splits there are."""
        if split not in self.splits:
            raise ParameterError(
                f"{self.title} is no source of {split} questions; it has {', '.join(self.splits)}"
            )
        return self.splits[split]

    def form(self, root: Path, split: str) -> str:
        """How `split` lies under `root`: "official" or "parquet". Raises ParameterError that names what is missing and where it is."""
        release, home = self.release(split), root / self.name
        missing = {
            name: place for name, place in self.files[release].items() if not located(home, name)
        }
        if not missing and self.files[release]:
            return "official"
        if self._parquet(home, release):
            return "parquet"
        asked = [f"{name.replace('|', ' or ')} from {place}" for name, place in missing.items()] + (
            [self.images] if missing else []
        )
        asked += [
            f"or `hf download {h.repo} --repo-type dataset --local-dir {home}`"
            for h in self.hub
            if self.hub_split(release)
        ]
        raise ParameterError(
            f"{self.title}, {split}: not in {home}. Put there\n  " + "\n  ".join(asked)
        )

    def hub_split(self, release: str) -> str:
        """What the Hub calls a release's split, "" where it has none."""
        return release if self.hub_splits is None else self.hub_splits.get(release, "")

    def rows(self, root: Path | None, split: str, revision: str | None = None) -> Iterator[dict]:
        """Every question of `split`, its `image` a Picture that is still unread; from under `root`, or from the Hub where that is None.

        Raises ParameterError where files are missing; warns where the count is none of the published ones.
        """
        release = self.release(split)
        shared = [s for s, of in self.splits.items() if of == release]
        count, groups = 0, set()
        for count, row in enumerate(self._raw(root, split, release, revision), 1):  # noqa: B007
            asked = self.question(row, count - 1)
            if asked is None:
                continue
            asked = {"image_id": asked["id"], "group": asked["id"], "choices": [], "source": self.name, "split": split, "accepted": [],
                     "image": row.get("image")} | asked  # fmt: skip
            if self.published.get(release):
                groups.add(asked["group"])
            if shared == [split] or (digest(asked["image_id"])[0] % HELD_OUT == 0) == (
                split == "validation"
            ):
                yield asked
        known = self.published.get(release)
        if known and not any(
            rows == count and questions in (None, len(groups)) for rows, questions in known
        ):
            said = " or ".join(
                f"{rows:,} rows" if questions is None else f"{questions:,} of {rows:,}"
                for rows, questions in known
            )
            warnings.warn(
                f"{self.title}, {release}: {len(groups):,} questions of {count:,} rows; published are {said}",
                stacklevel=2,
            )

    def drawn(
        self,
        root: Path | None,
        split: str,
        n: int | None,
        seed: int = 0,
        revision: str | None = None,
    ) -> list[dict]:
        """The first `n` base questions (None: all) in an order drawn by `seed`, each followed by its rotations; pictures still unread."""
        keyed = (
            (digest(f"{seed}|{r['group']}"), r["id"] != r["group"], i, r)
            for i, r in enumerate(self.rows(root, split, revision))
        )
        first = (
            sorted(keyed) if n is None else heapq.nsmallest(n * self.rotations, keyed)
        )  # as many hold the first n whole
        taken = set(list(dict.fromkeys(key for key, *_ in first))[:n])
        rows = [row for key, *_, row in first if key in taken]
        if twice := [name for name, times in Counter(r["id"] for r in rows).items() if times > 1]:
            raise ParameterError(
                f"{self.title}: {len(twice)} ids stand there more than once, such as {twice[0]!r}"
            )
        return rows

    def load(
        self,
        root: Path | None,
        split: str,
        n: int | None,
        seed: int = 0,
        revision: str | None = None,
    ) -> Dataset:
        """`drawn` as Question rows with pictures in RGB. Raises ParameterError that names the pictures that can not be read."""
        rows = self.pictured(
            self.drawn(root, split, n, seed, revision),
            lambda _, source: {"bytes": rgb(source), "path": None},
        )
        if not rows:
            raise ParameterError(
                f"{self.title}: there is no {split} question in {root / self.name if root else 'its table on the Hub'}"
            )
        return Dataset.from_list(rows, features=QUESTION_FEATURES)

    def pictured(
        self, rows: Iterable[dict], made: Callable[[dict, Path | bytes], Any]
    ) -> list[dict]:
        """The rows, with what is `made` of each and its picture as `image`. Raises ParameterError that names the unreadable ones."""
        found, lost = [], []
        for row in rows:
            try:
                if row["image"] is None:
                    raise ValueError("its row holds none")
                found.append(row | {"image": made(row, row["image"]())})
            except (OSError, ValueError, SyntaxError, Pictures.DecompressionBombError) as error:
                lost.append(f"  {row['id']}: {error or type(error).__name__}")
        if lost:
            of = f"{len(lost)} of {len(lost) + len(found)} pictures"
            raise ParameterError(
                "\n".join(
                    [
                        f"{self.title}: {of} can not be read; {self.images}. The first:",
                        *lost[:SHOWN],
                    ]
                )
            )
        return found

    def _raw(
        self, root: Path | None, split: str, release: str, revision: str | None
    ) -> Iterable[dict]:
        if root is None:
            tables = self._tables(release, revision)
        elif self.form(root, split) == "official":
            return self.official(root / self.name, release)
        else:
            tables = [
                Dataset.from_parquet(list(map(str, files)))
                for files in self._parquet(root / self.name, release)
            ]
        return (
            self.join(tables)
            if self.join
            else unread(tables[0] if len(tables) == 1 else concatenate_datasets(tables))
        )

    def _parquet(self, home: Path, release: str) -> list[list[Path]]:
        """The parquet files of each config of the first repository of which all are there; [] where none is."""
        files = (
            located(home, f"{self.hub_split(release)}-*.parquet") if self.hub_split(release) else []
        )
        for hub in self.hub:
            parts = [
                [
                    f
                    for f in files
                    if f.parent.name == c or (c is None and f.parent in (home, home / "data"))
                ]
                for c in hub.configs
            ]
            if all(parts):
                return parts
        return []

    def _tables(self, release: str, revision: str | None) -> list[Dataset]:
        """The configs' tables from the first repository that answers. Raises ParameterError with what each of them said."""
        if not self.hub or not (split := self.hub_split(release)):
            files = ", ".join(self.files[release])
            raise ParameterError(
                f"{self.title}: the Hub has no {release} split of it; give a folder with {files} ({self.images})"
            )
        said = []
        for hub in self.hub:
            try:
                return [
                    load_dataset(hub.repo, config, split=split, revision=revision)
                    for config in hub.configs
                ]
            except (OSError, ValueError) as error:
                said.append(f"  {hub.repo}: {str(error).strip() or type(error).__name__:.300}")
        raise ParameterError(
            f"{self.title} came from none of its repositories on the Hub:\n" + "\n".join(said)
        )
