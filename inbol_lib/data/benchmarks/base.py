"""What every benchmark shares: finding its files, checking and drawing its rows, loading pictures.

A benchmark lies in <root>/<name>/, either as its official files or as a copy of its repository on
the Hub (`hf download REPO --repo-type dataset --local-dir <root>/<name>`, with `--revision COMMIT`
to pin it), whose parquet files are read. COCO's photographs may lie in
<root>/coco/{train2014,val2014,val2017}/, once for all the benchmarks that ask about them.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset, concatenate_datasets

from inbol_lib.data.benchmarks.drawing import draw, held_out
from inbol_lib.data.benchmarks.hub_tables import Hub, rgb, unread
from inbol_lib.data.benchmarks.published_counts import Count, deviation
from inbol_lib.data.benchmarks.release_files import located
from inbol_lib.data.records import QUESTION_FEATURES, load_tables
from inbol_lib.data.texts import MARK, is_whole
from inbol_lib.errors import ParameterError

SHOWN = 20  # unreadable pictures that are listed
#: what reading raises where files are not as released: rows, tables, numbers
_NOT_AS_RELEASED = (
    *(ArithmeticError, AttributeError, LookupError, NotImplementedError, OSError, TypeError),
    ValueError,
)
#: columns of a question that are one text, and lists of texts
ONE_TEXT, MANY_TEXTS = ("id", "image_id", "group", "question"), ("answers", "choices")


def _check_kinds(asked: dict) -> None:
    """Check that a question holds texts and a picture; raises ValueError naming what it is not."""
    for name in MANY_TEXTS:
        if not isinstance(asked[name], list):
            raise ValueError(f"{name} must be a list, given {asked[name]!r:.100}")
    texts = [(name, asked[name]) for name in ONE_TEXT]
    texts += [(name, text) for name in MANY_TEXTS for text in asked[name]]
    for name, text in texts:
        if not isinstance(text, str) or not is_whole(text):
            raise ValueError(f"{name} must hold texts, given {text!r:.100}")
    if not (asked["image"] is None or callable(asked["image"])):
        raise ValueError(f"image must name a picture, given {asked['image']!r:.100}")


@dataclass(frozen=True)
class Benchmark:
    """One data set: how to read it, how large it should be, and where to get it.

    "Split" is ours (train, validation or test), "release" the name of a split in the data set's
    own release.

    Attributes
    ----------
    name, title, licence, size, note
        `name` is the `source` of its questions; the others are for people.
    splits
        Our split -> release.
    files
        Release -> file name, or patterns divided by "|" -> where to get it.
    images
        Where to get the pictures, and where to put them.
    official
        From the benchmark's folder and a release to its rows, each with `image`, a Picture.
    question
        From a row and its number to the Question's own columns; None for a row that is not taken.
    published
        Release -> its size in each published version; none where no size could be verified.
    hub
        Repositories of the Hub, tried in this order.
    hub_splits
        Release -> the Hub's name of it; None where the names are the same.
    join
        From the configs' tables to rows, where the tables are not simply one after the other.
    rotations
        The most rows that share a `group`.
    """

    name: str
    title: str
    licence: str
    size: str
    splits: Mapping[str, str]
    files: Mapping[str, Mapping[str, str]]
    images: str
    official: Callable[[Path, str], Iterable[dict]]
    question: Callable[[dict, int], dict | None]
    published: Mapping[str, tuple[Count, ...]] = field(default_factory=dict)
    hub: tuple[Hub, ...] = ()
    hub_splits: Mapping[str, str] | None = None
    join: Callable[[list[Dataset]], Iterable[dict]] | None = None
    rotations: int = 1
    note: str = ""

    def release(self, split: str) -> str:
        """Return the release's name of our `split`.

        Raises
        ------
        ParameterError
            Naming the splits that exist.
        """
        if split not in self.splits:
            available = ", ".join(self.splits)
            raise ParameterError(f"{self.title} has no {split} questions; it has {available}")
        return self.splits[split]

    def hub_split(self, release: str) -> str:
        """Return what the Hub calls a release's split, "" where it has none."""
        return release if self.hub_splits is None else self.hub_splits.get(release, "")

    def form(self, root: Path, split: str) -> str:
        """Return how `split` lies under `root`: "official" or "parquet".

        Raises
        ------
        ParameterError
            Naming what is missing and where to get it.
        """
        release, home = self.release(split), root / self.name
        files = self.files[release]
        missing = {name: place for name, place in files.items() if not located(home, name)}
        if files and not missing:
            return "official"
        if self._parquet_files(home, release):
            return "parquet"
        ways = "\n  ".join(self._ways_to_get(home, release, missing))
        raise ParameterError(f"{self.title}, {split}: not in {home}. Put there\n  {ways}")

    def _ways_to_get(self, home: Path, release: str, missing: Mapping[str, str]) -> list[str]:
        ways = [f"{name.replace('|', ' or ')} from {place}" for name, place in missing.items()]
        if missing:
            ways.append(self.images)
        if self.hub_split(release):
            ways += [
                f"or `hf download {hub.repo} --repo-type dataset --local-dir {home}`"
                for hub in self.hub
            ]
        return ways

    def rows(self, root: Path | None, split: str, revision: str | None = None) -> Iterator[dict]:
        """Yield every question of `split`, its `image` a Picture that is still unread.

        Parameters
        ----------
        root : Path or None
            The folder that holds the benchmark's folder; None for the Hub.
        split : str
            train, validation or test.
        revision : str or None
            Commit of the Hub's repository.

        Raises
        ------
        ParameterError
            When files are missing.

        Warns
        -----
        UserWarning
            When the number of rows or questions is none of the published ones.
        """
        release = self.release(split)
        divided = list(self.splits.values()).count(release) > 1
        known = self.published.get(release, ())
        count, groups = 0, set()
        for asked in self._questions(root, split, revision):
            count += 1
            if asked is None:
                continue
            if known:
                groups.add(asked["group"])
            if not divided or held_out(asked["image_id"]) == (split == "validation"):
                yield asked
        differs = deviation(known, count, len(groups))
        if differs:
            warnings.warn(f"{self.title}, {release}: {differs}", stacklevel=2)

    def _questions(
        self, root: Path | None, split: str, revision: str | None
    ) -> Iterator[dict | None]:
        """Yield what `_question` makes of every row; raises ParameterError where that fails."""
        number = 0
        try:
            for row in self._raw(root, split, self.release(split), revision):
                yield self._question(row, number, split)
                number += 1
        except ParameterError:
            raise
        except _NOT_AS_RELEASED as error:
            place = root / self.name if root else "its table on the Hub"
            raise ParameterError(
                f"{self.title}, {split}: row {number + 1} is not as in the release "
                f"({type(error).__name__}: {error!s:.200}); get the files again, into {place}"
            ) from None

    def _question(self, row: dict, number: int, split: str) -> dict | None:
        """Return the Question row of a release's row, None where it is not taken."""
        asked = self.question(row, number)
        if asked is None:
            return None
        defaults = {
            "image_id": asked["id"],
            "group": asked["id"],
            "choices": [],
            "source": self.name,
            "split": split,
            "accepted": [],
            "image": row.get("image"),
        }
        whole = defaults | asked
        _check_kinds(whole)
        return whole

    def drawn(
        self,
        root: Path | None,
        split: str,
        n: int | None,
        seed: int = 0,
        revision: str | None = None,
    ) -> list[dict]:
        """Return the first `n` base questions in an order drawn by `seed`, with their rotations.

        Pictures are still unread; the other parameters are those of `rows`.

        Raises
        ------
        ParameterError
            When files are missing, ids are not unique, or a text holds a mark such as <image>,
            which models do not read as text.
        """
        rows = draw(self.rows(root, split, revision), n, seed, self.rotations)
        times = Counter(row["id"] for row in rows)
        repeated = [name for name, number in times.items() if number > 1]
        if repeated:
            raise ParameterError(
                f"{self.title}: {len(repeated)} ids occur more than once, such as {repeated[0]!r}"
            )
        for row in rows:
            mark = MARK.search("\n".join([row["question"], *row["choices"]]))
            if mark:
                raise ParameterError(
                    f"{self.title}: question {row['id']!r} holds {mark[0]!r}, which models read as "
                    "a mark, not as text; correct it in the file"
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
        """Return `drawn` as Question rows with pictures in RGB.

        Raises
        ------
        ParameterError
            When files are missing, there is no question, or pictures can not be read.
        """
        drawn = self.drawn(root, split, n, seed, revision)
        rows = self.pictured(drawn, lambda _, source: {"bytes": rgb(source), "path": None})
        if not rows:
            place = root / self.name if root else "its table on the Hub"
            raise ParameterError(f"{self.title}: there is no {split} question in {place}")
        return Dataset.from_list(rows, features=QUESTION_FEATURES)

    def pictured(
        self, rows: Iterable[dict], made: Callable[[dict, Path | bytes], Any]
    ) -> list[dict]:
        """Return the rows with what is `made` of each row and its picture as `image`.

        Raises
        ------
        ParameterError
            Naming the pictures that can not be read.
        """
        found, unreadable = [], []
        for row in rows:
            try:
                if row["image"] is None:
                    raise ValueError("its row holds none")
                found.append(row | {"image": made(row, row["image"]())})
            except (OSError, ValueError, SyntaxError) as error:
                unreadable.append(f"  {row['id']}: {error or type(error).__name__}")
        if unreadable:
            share = f"{len(unreadable)} of {len(unreadable) + len(found)} pictures"
            head = f"{self.title}: {share} can not be read; {self.images}. The first:"
            raise ParameterError("\n".join([head, *unreadable[:SHOWN]]))
        return found

    def _raw(
        self, root: Path | None, split: str, release: str, revision: str | None
    ) -> Iterable[dict]:
        """Return a release's rows, from the Hub or from whichever form lies under `root`."""
        if root is None:
            return self._joined(self._hub_tables(release, revision))
        home = root / self.name
        if self.form(root, split) == "official":
            return self.official(home, release)
        configs = self._parquet_files(home, release)
        return self._joined([load_tables(files) for files in configs])

    def _joined(self, tables: list[Dataset]) -> Iterable[dict]:
        if self.join:
            return self.join(tables)
        return unread(tables[0] if len(tables) == 1 else concatenate_datasets(tables))

    def _parquet_files(self, home: Path, release: str) -> list[list[Path]]:
        """Return each config's files from the first repository that is complete in `home`."""
        split = self.hub_split(release)
        copies = [hub.parquet_files(home, split) for hub in self.hub] if split else []
        return next((files for files in copies if files), [])

    def _hub_tables(self, release: str, revision: str | None) -> list[Dataset]:
        """Return the configs' tables from the first repository that answers."""
        split = self.hub_split(release)
        if not self.hub or not split:
            files = ", ".join(self.files[release])
            raise ParameterError(
                f"{self.title}: the Hub has no {release} split of it; "
                f"give a folder with {files} ({self.images})"
            )
        answers = []
        for hub in self.hub:
            try:
                return hub.tables(split, revision)
            except (OSError, ValueError) as error:
                answers.append(f"  {hub.repo}: {str(error).strip() or type(error).__name__:.300}")
        head = f"{self.title}: none of its repositories on the Hub could be read:"
        raise ParameterError("\n".join([head, *answers]))
