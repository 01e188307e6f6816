"""What the API pages need to know of the package: its public names, methods of classes, constants."""

import importlib
import inspect
import pkgutil
import re

from docutils import nodes
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxRole

import skmetric


def public_modules():
    """The package, and its modules that have a list of public names."""
    names = [module.name for module in pkgutil.iter_modules(skmetric.__path__, "skmetric.")]
    modules = [importlib.import_module(name) for name in names if "._" not in name]
    return [skmetric, *(module for module in modules if hasattr(module, "__all__"))]


NAMES = [f"{module.__name__}.{name}" for module in public_modules() for name in module.__all__]
# Functions of skmetric.dask have the names of methods: without the module, the method is meant.
PUBLIC = {name.rpartition(".")[2]: name for name in NAMES if not name.startswith("skmetric.dask.")}


def find(fullname):
    module, _, name = fullname.rpartition(".")
    return getattr(importlib.import_module(module), name)


def first_sentence(thing):
    """The first paragraph of a docstring, in one line, without references to pages of other sites."""
    text = " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())
    return re.sub(r":\w+:`~?([^`<]+?)\s*(<[^`>]+>)?`", r"\1", text)


# --- classes -------------------------------------------------------------------------------------------


def is_own(method):
    return (getattr(method, "__module__", None) or "").startswith("skmetric")


def methods_of(cls):
    """What the template of a class shows: own methods, and those that are inherited from elsewhere."""
    methods = [item for item in inspect.getmembers(cls, callable) if not item[0].startswith("_")]
    own = [name for name, method in methods if is_own(method)]
    others = [[name, first_sentence(method)] for name, method in methods if not is_own(method)]
    return {"own": own, "inherited": [item for item in others if item[1]]}


METHODS = {name: methods_of(find(name)) for name in PUBLIC.values() if inspect.isclass(find(name))}


# --- names in docstrings -------------------------------------------------------------------------------


class PublicName(SphinxRole):
    """`name` in a docstring: a link if it is a public name or a method of the class, else code."""

    def run(self):
        target = self.target()
        if target is None:
            return [nodes.literal(self.rawtext, self.text)], []
        role = self.env.domains.python_domain.role("obj")
        text = f"{self.text} <{target}>"
        return role("py:obj", self.rawtext, text, self.lineno, self.inliner, self.options, self.content)

    def target(self):
        name = self.text.removesuffix("()")
        if name in PUBLIC or name in NAMES:
            return PUBLIC.get(name, name)
        described = PUBLIC.get(self.env.ref_context.get("py:class"))
        is_method = described in METHODS and name in METHODS[described]["own"]
        return f"{described}.{name}" if is_method else None


# --- constants -----------------------------------------------------------------------------------------


def comment_of(package, name):
    """The lines of the ``#:`` comment where a constant is defined, in one of the modules of a package."""
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        comments = ModuleAnalyzer.for_module(module.name).find_attr_docs()
        if ("", name) in comments:
            return comments["", name]
    raise LookupError(f"{package}.{name} needs a comment that begins with '#:' where it is defined.")


def describe_constant(app, what, fullname, constant, options, lines):
    """Replace the docstring of ``dict`` by the comment at a constant."""
    if isinstance(constant, dict):
        package, _, name = fullname.rpartition(".")
        lines[:] = comment_of(package, name)


# --- links ---------------------------------------------------------------------------------------------


def link_to_repository(app, docname, source):
    """Let a link to a file outside of docs/, which works in the repository, work on the site too."""

    def absolute(match):
        text, target = match.groups()
        path = target.partition("#")[0]
        if not (app.srcdir.parent / path).exists():
            raise FileNotFoundError(f"{docname} links to ../{path}, which does not exist.")
        return f"[{text}]({app.config.repository}/blob/main/{target})"

    source[0] = re.sub(r"(?<!!)\[([^\]]*)\]\(\.\./([^)]+)\)", absolute, source[0])


def setup(app):
    app.add_config_value("repository", "", "env", str)
    app.config.autosummary_context["methods_of"] = METHODS
    app.add_role("public", PublicName())
    app.connect("autodoc-process-docstring", describe_constant)
    app.connect("source-read", link_to_repository)
    return {"version": skmetric.__version__, "parallel_read_safe": True}
