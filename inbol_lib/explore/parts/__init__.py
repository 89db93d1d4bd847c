"""What all views share: their look, their keys, pages with every text escaped, plain tables.

Nothing here needs ipywidgets but `panels`, which views load only where widgets work.
"""

from inbol_lib.explore.parts.pages import data_url, rendered
from inbol_lib.explore.parts.plain import plain_table, widgets_work

__all__ = ["data_url", "plain_table", "rendered", "widgets_work"]
