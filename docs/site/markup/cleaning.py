"""Stored outputs of notebooks, made safe to show: they hold texts of data and of models.

JupyterLab cleans what a notebook brings along before it shows it; a site has to do so itself.
"""

import re
from typing import Any

import bleach

#: what tables of pandas are made of, and a little more
TAGS = frozenset(
    "a b blockquote br code details div em h1 h2 h3 h4 hr i kbd li ol p pre small span strong sub "
    "summary sup table tbody td tfoot th thead tr ul".split()
)
ATTRIBUTES = {"*": ["class", "colspan", "rowspan", "scope", "title"], "a": ["href"]}
LOOK_OF_ITS_OWN = re.compile(r"<style\b.*?</style\s*>", re.DOTALL | re.IGNORECASE)
#: a cell of a table with so many characters that they may stand on several lines
SENTENCE = re.compile(r"<td>([^<]{25,})</td>")
ROLE = re.compile(r"\{(?=[^{}\s`]+\}`)")
DIRECTIVE = re.compile(r"(?m)^(\s*(?:`{3,}|~{3,}|:{3,})\s*)\{([^}\n]*)\}")


def clean_html(text: str) -> str:
    """Return HTML with tags and attributes that only show; all others are shown as text."""
    cleaned = bleach.clean(LOOK_OF_ITS_OWN.sub("", text), tags=TAGS, attributes=ATTRIBUTES)
    return SENTENCE.sub(r'<td class="long">\1</td>', cleaned)


def clean_markdown(text: str) -> str:
    """Return Markdown without HTML, and without roles and directives, which can do more."""
    plain = DIRECTIVE.sub(r"\1\2", text.replace("<", "&lt;"))
    return ROLE.sub("&#123;", plain)


CLEANED = {"text/html": clean_html, "text/markdown": clean_markdown}
#: what shows no text of anybody, or text that Sphinx escapes
HARMLESS = {"text/plain", "image/png", "image/jpeg"}


def clean_output(output: dict[str, Any]) -> None:
    """Clean one output of a cell in place; kinds of data that are not known here are dropped."""
    data = output.get("data", {})
    for kind in list(data):
        if kind in CLEANED:
            data[kind] = CLEANED[kind]("".join(data[kind]))
        elif kind not in HARMLESS:
            del data[kind]
