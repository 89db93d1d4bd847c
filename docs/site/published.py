"""What is published in figures/, as directives: sortable tables, and figures with their data.

Cells hold texts that people and models wrote. They never pass through Markdown, and every one of
them is escaped here.
"""

from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from markup.figures import figure_html
from markup.tables import table_html
from sphinx.application import Sphinx

from inbol_lib import paths


class PublishedFigure(Directive):
    """A figure of figures/ by its name, with what to see in it and links to its files."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        env = self.state.document.settings.env
        up = "../" * env.docname.count("/")
        made = figure_html(Path(env.config.published_folder), self.arguments[0], f"{up}figures/")
        return [nodes.raw("", made, format="html")]


class PublishedTable(Directive):
    """A table of figures/ by its name."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        file = Path(self.state.document.settings.env.config.published_folder, f"{name}.csv")
        self.state.document.settings.env.note_dependency(str(file))
        return [nodes.raw("", table_html(file), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives and where they find their files."""
    app.add_config_value("published_folder", str(paths.figures(paths.PUBLISHED)), "env")
    app.add_directive("published-table", PublishedTable)
    app.add_directive("published-figure", PublishedFigure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
