"""Run the code of the pages, and write what it prints.

``python docs/pages.py [--check] [PAGE ...]`` (by default the README and all pages of this folder)

The ``python`` blocks of a page run in order, as one program. A ``text`` block right below such a block
holds what the block prints: it is written anew, or compared with ``--check``.
"""

import argparse
import io
import os
import re
from contextlib import redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?:\n\n```text\n(?P<printed>.*?)^```$)?", re.MULTILINE | re.DOTALL
)
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]\d+)?")
TOLERANCE = 0.03  # another processor or version of NumPy trains a slightly different model


def with_code():
    """Return the paths of the README and of all pages that hold code."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [path for path in paths if BLOCK.search(path.read_text(encoding="utf-8"))]


def run(path):
    """Run a page; yield its blocks, as matches, with what each prints."""
    page = path.read_text(encoding="utf-8")
    namespace = {"__name__": "__main__"}
    for block in BLOCK.finditer(page):
        # The blank lines in front give a traceback the line of the page.
        lines_above = page.count("\n", 0, block.start("code"))
        code = compile("\n" * lines_above + block["code"], path, "exec")
        with redirect_stdout(io.StringIO()) as printed:
            exec(code, namespace)
        yield block, printed.getvalue()


def alike(shown, printed):
    """Whether the words are the same, and the numbers nearly."""
    words = [NUMBER.sub("#", text).split() for text in (shown, printed)]
    numbers = [map(float, NUMBER.findall(text)) for text in (shown, printed)]
    return words[0] == words[1] and all(
        abs(a - b) <= TOLERANCE * max(1, abs(b)) for a, b in zip(*numbers)
    )


def check(path):
    """Raise an error at the first block that prints something else than the page shows."""
    for block, printed in run(path):
        shown = block["printed"]
        if shown is not None and not alike(shown, printed):
            raise AssertionError(f"{path.name} shows\n{shown}\nand the code prints\n{printed}")


def write(path):
    """Put what each block prints below it, where the page has a place for it."""
    page = path.read_text(encoding="utf-8")
    for block, printed in reversed(list(run(path))):
        if block["printed"] is not None:
            page = page[: block.start("printed")] + printed + page[block.end("printed") :]
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    parser.add_argument("pages", nargs="*", type=Path, default=with_code())
    args = parser.parse_args()
    os.environ["MPLBACKEND"] = "agg"
    for page in args.pages:
        (check if args.check else write)(page.resolve())
