"""What is published: metadata, addresses, the long description, the list of changes."""

import configparser
import re
from pathlib import Path

import pytest

import skmetric

ROOT = Path(__file__).parents[1]
ABOUT = configparser.ConfigParser()
ABOUT.read(ROOT / "setup.cfg", encoding="utf-8")
URLS = dict(line.split(" = ") for line in ABOUT["metadata"]["project_urls"].strip().splitlines())
SITE = URLS["Documentation"]
SOURCE = URLS["Source"]
RAW = SOURCE.replace("https://github.com/", "https://raw.githubusercontent.com/")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def text_of(path):
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(path):
    """Targets of links and images, in Markdown and in HTML."""
    text = text_of(path)
    return [
        *re.findall(r"\]\(([^)\s]+)(?: [^)]*)?\)", text),
        *re.findall(r"^\[[^\]]+\]: (\S+)", text, re.MULTILINE),
        *re.findall(r"(?:src|srcset|href)=\"([^\"]+)\"", text),
    ]


def anchors(path):
    """Anchors of the headings of a page, made as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.*)", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


# --- the project's own addresses ----------------------------------------------------------------------


def sources_of(page):
    """Files that may have made a page of the site: a page in Markdown, or an example of the gallery."""
    name = page.removesuffix(".html") or "index"
    if name.startswith("gallery/"):
        return [
            *(ROOT / "docs" / "examples").rglob(name.rpartition("/")[2] + ".py"),
            *([ROOT / "docs" / "examples" / "GALLERY_HEADER.rst"] if name == "gallery/index" else []),
        ]
    return [path for path in [ROOT / "docs" / f"{name}.md"] if path.exists()]


def missing(link):
    """What of an address of this project is not in the tree; None if all is there."""
    address, _, anchor = link.partition("#")
    for prefix in (f"{SOURCE}/blob/main/", f"{SOURCE}/raw/main/", f"{SOURCE}/tree/main/", f"{RAW}/main/"):
        if address.startswith(prefix):
            found = [path for path in [ROOT / address.removeprefix(prefix)] if path.exists()]
            break
    else:
        if not address.startswith(SITE):
            return None
        page = address.removeprefix(SITE)
        if page.startswith("api/"):
            name = page.removesuffix(".html").rpartition(".")[2]
            is_listed = re.search(rf"^ +{name}$", (ROOT / "docs/api.md").read_text(), re.MULTILINE)
            return None if is_listed else link
        found = sources_of(page)
    if not found:
        return link
    has_anchor = not anchor or found[0].suffix != ".md" or anchor in anchors(found[0])
    return None if has_anchor else link


def test_missing_finds_what_is_not_there():
    there = [
        SITE,
        f"{SITE}api.html#skmetricpairs",
        f"{SOURCE}/blob/main/setup.cfg",
        "https://example.org/x",
    ]
    assert [missing(link) for link in there] == [None] * 4
    gone = [f"{SITE}nowhere.html", f"{SITE}api.html#nowhere", f"{SITE}api/skmetric.No.html"]
    gone += [
        f"{SOURCE}/blob/main/nowhere.py",
        f"{RAW}/main/nowhere.png",
        f"{SITE}gallery/plot_nowhere.html",
    ]
    assert [missing(link) for link in gone] == gone


def test_links_of_the_long_description_are_absolute():
    found = links(ROOT / "README.md")
    assert found
    assert [link for link in found if not link.startswith(("https://", "#"))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_addresses_of_this_project_exist_in_the_tree(page):
    assert [link for link in links(page) if missing(link)] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CITATION.cff"], ids=lambda path: path.name)
def test_addresses_of_this_project_are_those_of_the_metadata(page):
    found = re.findall(r"https://[^\s)\"'`>\]]*skmetric[^\s)\"'`>\]]*", page.read_text(encoding="utf-8"))
    assert [link for link in found if not link.startswith((SITE.rstrip("/"), SOURCE, RAW))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_relative_links_between_files_exist(page):
    found = [link.partition("#") for link in links(page) if not re.match(r"\w+:|#", link)]
    assert [link for link, _, _ in found if not (page.parent / link).exists()] == []
    to_pages = [
        (page.parent / link, anchor) for link, _, anchor in found if link.endswith(".md") and anchor
    ]
    assert [(path.name, anchor) for path, anchor in to_pages if anchor not in anchors(path)] == []


# --- versions and metadata ----------------------------------------------------------------------------


def test_the_citation_has_the_version_and_the_licence():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^([\w-]+): (\S+)$", citation, re.MULTILINE))
    assert stated["version"] == skmetric.__version__
    assert stated["license"] == ABOUT["metadata"]["license_expression"]
    assert (stated["url"], stated["repository-code"]) == (SITE, SOURCE)


def test_the_list_of_changes_begins_with_what_is_not_released():
    headings = re.findall(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    released = [
        re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:]
    ]
    versions = [tuple(map(int, match[1].split("."))) for match in released]
    assert versions == sorted(set(versions), reverse=True)


def test_the_typing_marker_is_there_if_it_is_promised():
    assert "Typing :: Typed" in ABOUT["metadata"]["classifiers"]
    assert (ROOT / "skmetric" / "py.typed").exists()


def test_the_supported_pythons_are_stated_alike():
    stated = re.findall(r"Python :: 3\.(\d+)", ABOUT["metadata"]["classifiers"])
    assert ABOUT["options"]["python_requires"] == f">=3.{min(map(int, stated))}"
