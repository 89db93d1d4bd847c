"""The project's own texts as pages of the site: links lead to pages, or are left as words."""

import os
import re
from collections.abc import Callable

import rooms

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\\\[|\\\])+)\]\(([^)\s#]*)(#[^)\s]*)?\)")


def rewritten(text: str, file: str, staged: Callable[[str], bool]) -> str:
    """Return a Markdown text whose links work on the site.

    A link to a page of the site stays, one to a file of figures/ leads to it, one to a module to
    its reference, and of one to any other file of the repository the words are left. Pictures stay.

    Parameters
    ----------
    text : str
    file : str
        Where the text lies in the repository, from which its links count.
    staged : callable
        Tells whether a path of the repository is a page of the site.
    """

    def replaced(match: re.Match) -> str:
        words, target, anchor = match[1], match[2], match[3] or ""
        if not target or re.match(r"[a-z]+:", target):
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(file), target))
        if staged(path):
            return f"[{words}]({target}{anchor})"
        if re.fullmatch(r"figures/[\w.-]+", path):
            return f'<a href="{target}">{words}</a>'
        module = rooms.module_of(path)
        plain = words.replace("`", "").replace("\\", "")
        return f"{{py:mod}}`{plain} <{module}>`" if module else words

    return LINK.sub(replaced, text)


def sections(text: str) -> dict[str, str]:
    """Return heading -> text of each section of the second level, the heading with it."""
    parts = re.split(r"(?m)^(?=## )", text)[1:]
    return {part.splitlines()[0].removeprefix("## "): part for part in parts}


def block(text: str, name: str) -> str:
    """Return what stands between the comments `<!-- name -->` and `<!-- end -->`.

    Raises
    ------
    ValueError
        If there is no such block.
    """
    found = re.search(rf"<!-- {re.escape(name)} -->\n(.*?)<!-- end -->", text, re.DOTALL)
    if not found:
        raise ValueError(f"there is no block {name!r}")
    return found[1].strip()
