"""Sphinx configuration: pages in Markdown, docstrings in numpydoc, the gallery in examples/."""

import warnings
from importlib.metadata import metadata, version

project = "skmetric"
author = metadata("skmetric")["Author"]
release = version("skmetric")
copyright = f"2026, {author}"

extensions = [
    "myst_parser",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
    "matplotlib.sphinxext.plot_directive",
]
exclude_patterns = ["_build", "examples", "figures"]
nitpicky = False

# --- pages ---------------------------------------------------------------------------------------------

myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# --- docstrings ----------------------------------------------------------------------------------------

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say types and shapes
numpydoc_show_class_members = False

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
    "reference_url": {"skmetric": None},
    "doc_module": "skmetric",
    "backreferences_dir": "api/backreferences",
    "show_memory": False,
    "download_all_examples": False,
}
# What an example shows on the page is its output, not the state of the machine that built it.
warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")

# --- theme ---------------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = f"skmetric {release}"
html_static_path = ["_static"]
html_css_files = ["skmetric.css"]
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False
