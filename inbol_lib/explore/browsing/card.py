"""The page about one question: picture, words, samples, and every method's answer."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from PIL import Image

from inbol_lib.explore.browsing.browser import Browser
from inbol_lib.explore.parts.pages import SMALL, data_url, rendered
from inbol_lib.report.plots.looks import OUTCOMES
from inbol_lib.report.tables.layout import NAMES

#: letters of a question in the list
LISTED = 38


def shown(browser: Browser) -> str:
    """Return the HTML about the question that a browser shows."""
    if browser.place is None:
        return rendered("notice.html", text="No question is like this: clear a filter.")
    row = browser.book.row(browser.place)
    where = f"{browser.at + 1:,} of {len(browser.places):,}"
    source = NAMES.get(row["source"], row["source"])
    heading = f"{where} · {source} · {row['split']} · {row['id']}"
    return page(row, _picture(browser.book, row), heading)


def page(row: dict[str, Any], picture: Image.Image | None, heading: str, *notes: str) -> str:
    """Return the HTML about one question.

    Parameters
    ----------
    row : dict
        As `Book.row` gives it.
    picture : PIL.Image.Image or None
    heading, *notes : str
        Lines above the question and under the answers.
    """
    judged = zip(row["verdicts"] or (), row["responses"] or (), strict=False)
    samples = [(*pair, times) for pair, times in Counter(judged).most_common()]
    return rendered(
        "card.html",
        row=row,
        samples=samples,
        picture=picture and data_url(picture),
        small=picture is not None and picture.width < SMALL,
        no_picture="This picture is not stored.",
        heading=heading,
        notes=notes,
    )


def _picture(book: Any, row: dict) -> Image.Image | None:
    try:
        return book.pictures.find(row["source"], row["id"], row["image_id"])
    except (OSError, SyntaxError, ValueError):  # gone or broken since the view was opened
        return None


def lines(browser: Browser) -> list[str]:
    """Return the questions of a page for the list: signs of their outcomes, and their words."""
    book, page = browser.book, browser.page
    rows = browser.places[page.start : page.stop]
    book.know(book.frame.source.iloc[rows])
    words = book.outcomes.iloc[rows].astype(object).to_numpy()
    shown = book.frame.iloc[rows]
    questions = shown.question.where(shown.question != "", shown.id)
    return [_line(*pair) for pair in zip(questions, words, strict=True)]


def _line(question: str, words: Sequence[str | float]) -> str:
    signs = "".join(OUTCOMES[word].sign if isinstance(word, str) else "·" for word in words)
    short = question if len(question) <= LISTED else question[: LISTED - 1] + "…"
    return f"{signs}  {short}" if signs else short
