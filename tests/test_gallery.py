"""The gallery's examples: what the site's build needs of them. The build itself executes them."""

import ast
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = sorted((DOCS / "examples").rglob("*.py"))
PAGES = [*sorted(DOCS.glob("*.md")), DOCS / "examples" / "GALLERY_HEADER.rst"]
EACH = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)

# Roots of files, of a home, and of a drive.
ABSOLUTE = re.compile(r"(?<![\w.:/`])(/(home|work|tmp|root|Users|mnt|opt|usr|var)\b|~/|[A-Z]:[\\/])")
DRAWS = re.compile(r"plt\.subplot|plt\.figure|Display\b")
REFERENCE = re.compile(r"sphx_glr_gallery_(plot_\w+)\.py")


def text_of(path):
    return path.read_text(encoding="utf-8")


def test_the_gallery_finds_every_example():
    assert len(EXAMPLES) >= 8
    # sphinx-gallery executes plot_*.py, and looks into folders that have a header of their own.
    assert all(path.stem.startswith("plot_") for path in EXAMPLES)
    assert all((path.parent / "GALLERY_HEADER.rst").exists() for path in EXAMPLES)


@EACH
def test_an_example_has_a_title_and_an_introduction(path):
    title, line, *introduction = ast.get_docstring(ast.parse(text_of(path))).splitlines()
    assert set(line) == {"="}
    assert len(line) >= len(title) > 0
    assert len(" ".join(introduction).split()) >= 20


@EACH
def test_an_example_explains_itself_between_its_cells(path):
    cells = re.split(r"^# %%.*\n", text_of(path), flags=re.MULTILINE)[1:]
    assert len(cells) >= 3
    assert all(cell.startswith("# ") for cell in cells)


@EACH
def test_an_example_has_a_figure_for_its_thumbnail(path):
    assert DRAWS.search(text_of(path))


@EACH
def test_an_example_names_no_place_on_the_machine_of_its_author(path):
    assert not ABSOLUTE.search(text_of(path))


def test_absolute_paths_are_recognised():
    assert ABSOLUTE.search('open("/home/me/data.csv")')
    assert ABSOLUTE.search("Path('~/data')")
    assert ABSOLUTE.search(r'"C:\data"')
    assert not ABSOLUTE.search('"docs/examples/plot_quickstart.py", "https://example.org/home", "a: b"')


@EACH
def test_an_example_is_linked_from_a_page(path):
    """Of the site, the gallery's header included; the grid of thumbnails alone says little."""
    linked = {name for page in PAGES for name in REFERENCE.findall(text_of(page))}
    assert path.stem in linked


@pytest.mark.parametrize("page", [*PAGES, *EXAMPLES], ids=lambda page: page.name)
def test_links_to_examples_lead_somewhere(page):
    assert set(REFERENCE.findall(text_of(page))) <= {path.stem for path in EXAMPLES}
