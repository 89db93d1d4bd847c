"""Look around by hand in what the study has made: one line opens each view.

`records` browses questions with all that was answered, `thresholds` moves the classes of
confidence, `costs` the price of a wrong answer, and `ask` puts a question of your own. In
JupyterLab each is a widget, elsewhere a plain table. Imports all other rooms and is imported by
none.
"""

from inbol_lib.explore.asking import ask
from inbol_lib.explore.browsing import records
from inbol_lib.explore.composing import thresholds
from inbol_lib.explore.pricing import costs

__all__ = ["ask", "costs", "records", "thresholds"]
