"""Sphinx configuration: pages in Markdown, docstrings in numpydoc, the gallery in examples/."""

import configparser
import sys
import warnings
from pathlib import Path

# The gallery asks scikit-learn's modules for all of their names, and these must be switched on for that.
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401

import skmetric

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

about = configparser.ConfigParser()
about.read(HERE.parent / "setup.cfg", encoding="utf-8")
project = about["metadata"]["name"]
author = about["metadata"]["author"]
version = release = skmetric.__version__
copyright = f"2026, {author}"
# The addresses of the project are written once, in setup.cfg.
links = dict(line.split(" = ") for line in about["metadata"]["project_urls"].strip().splitlines())

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
    "matplotlib.sphinxext.plot_directive",
    "api_pages",
]
exclude_patterns = ["_build", "_ext", "_templates", "examples", "figures"]
templates_path = ["_templates"]

# --- pages ---------------------------------------------------------------------------------------------

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
repository = links["Source"]  # where links to files outside of docs/ lead, see _ext/api_pages.py
smartquotes = False  # "auto" is a value, and keeps its quotes
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# --- docstrings ----------------------------------------------------------------------------------------

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say types and shapes
default_role = "public"  # `name`, see _ext/api_pages.py
numpydoc_show_class_members = False
add_module_names = False
toc_object_entries_show_parents = "hide"

# --- figures and gallery -------------------------------------------------------------------------------

plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("svg", 100)]
plot_include_source = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "doc_module": "skmetric",
    "backreferences_dir": "api/backreferences",
    "show_memory": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "write_computation_times": False,
    "parallel": 2,
    "capture_repr": ("_repr_html_",),
}
# What an example shows on the page is its output, not the state of the machine that built it.
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")

# --- theme ---------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = f"skmetric {release}"
html_static_path = ["_static"]
html_css_files = ["skmetric.css"]
html_favicon = "_static/favicon.svg"
html_theme_options = {
    "logo": {
        "text": "skmetric",
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "alt_text": "skmetric, home",
    },
    "icon_links": [{"name": "Source", "url": links["Source"], "icon": "fa-brands fa-github"}],
    "header_links_before_dropdown": 6,
    "navbar_persistent": ["search-button"],
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}
html_sidebars = {"index": [], "getting_started": [], "api": [], "benchmarks": []}
html_show_sourcelink = False
