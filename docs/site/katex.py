"""Mathematics with the KaTeX that lies in static/katex: no address on the web is asked."""

import html
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

FILES = ("katex/katex.min.css", "katex/katex.min.js", "formulas.js")


def inline(translator: Any, node: nodes.Node) -> None:
    """Write a formula in a line; its text is escaped, and a script sets it when the page opens."""
    translator.body.append(f'<span class="formula">{html.escape(node.astext())}</span>')
    raise nodes.SkipNode


def block(translator: Any, node: nodes.Node) -> None:
    """Write a formula on lines of its own."""
    text = html.escape(node.astext())
    translator.body.append(f'<div class="formula" data-block="yes" tabindex="0">{text}</div>\n')
    raise nodes.SkipNode


def add_files(app: Sphinx, page: str, template: str, context: dict, tree: Any) -> None:
    """Load KaTeX on pages with a formula alone."""
    if tree is not None and any(
        tree.findall(lambda n: isinstance(n, nodes.math | nodes.math_block))
    ):
        app.add_css_file(FILES[0])
        for script in FILES[1:]:
            app.add_js_file(script)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("katex", (inline, None), (block, None))
    app.config.html_math_renderer = "katex"
    app.connect("html-page-context", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
