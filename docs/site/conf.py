"""Sphinx's settings for the site: `make site` builds it, nothing is run and nothing fetched."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

project = "InBoL in notebooks"
extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "katex",
    "published",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}
root_doc = "index"
# What the notebooks show is what is stored in them.
nb_execution_mode = "off"
nb_ipywidgets_js: dict = {}  # no widget is stored, and the scripts for them lie on the web
nb_merge_streams = True
nb_code_prompt_show = "Show the {type}"
nb_code_prompt_hide = "Hide the {type}"
myst_enable_extensions = ["colon_fence", "dollarmath", "amsmath"]
myst_heading_anchors = 4
myst_disable_syntax = ["myst_line_comment"]  # a line may begin with "%" where a text is wrapped
myst_update_mathjax = False
suppress_warnings = ["mystnb.unknown_mime_type"]

# A single back quote is code. As a link it would often be a wrong one: many things are called rows.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more: shapes, units, ranges
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False  # types are words here, such as "int, at least 1", and no links
napoleon_custom_sections = [("Attributes", "params_style")]
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_js_files = ["tables.js", "names.js"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_context = {"default_mode": "auto"}  # light or dark as the reader's system
html_last_updated_fmt = None
html_show_search_summary = False  # it would be fetched, which a browser forbids for files on disk
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "show_navbar_depth": 1,
    "home_page_in_toc": False,
    "navbar_persistent": [],
    "footer_content_items": ["extra-footer"],
    "extra_footer": "Apache-2.0, weights included.",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def not_a_field(app, what, name, thing, skip, options):
    """Leave out the fields of named tuples, which Python itself describes; docstrings say more."""
    return True if type(thing).__name__ == "_tuplegetter" else skip


def setup(app):
    """Choose what of the library is described."""
    app.connect("autodoc-skip-member", not_a_field)
