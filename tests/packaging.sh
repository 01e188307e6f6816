#!/usr/bin/env bash
# Build the wheel and the source distribution as for a release, check them, and install each outside of the tree.
# Usage: bash tests/packaging.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Files that git knows, so that leftovers of earlier builds cannot get in.
mkdir "$work/tree"
git ls-files -z | tar -c --null --files-from=- | tar -x -C "$work/tree"

"${1:-python3}" -m venv "$work/tools"
export PIP_NO_COMPILE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
"$work/tools/bin/pip" install -q build twine
"$work/tools/bin/python" -m build "$work/tree" --outdir "$work/dist" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/tools/bin/twine" check --strict "$work"/dist/*

"${1:-python3}" -m venv --without-pip "$work/clean"
cd "$work"
pip="tools/bin/pip --python clean/bin/python"
$pip install -q dist/*.whl  # with what it requires
for distribution in dist/*.whl dist/*.tar.gz; do
  echo "== installing $(basename "$distribution")"
  $pip install -q --force-reinstall --no-deps "$distribution"
  installed="$(clean/bin/python -c 'import skmetric; print(skmetric.__path__[0])')"
  # Every file of the package is there, py.typed included, and no other.
  diff <(cd tree/skmetric && find . -type f | sort) <(cd "$installed" && find . -type f ! -name '*.pyc' | sort)
  clean/bin/python - <<'PYTHON'
import importlib, importlib.metadata, pkgutil
import skmetric

modules = {module.name for module in pkgutil.walk_packages(skmetric.__path__, "skmetric.")}
# Without its extra, the module for Dask says what is missing.
try:
    importlib.import_module("skmetric.dask")
except ImportError as error:
    assert 'pip install "skmetric[dask]"' in str(error)
for name in modules - {"skmetric.dask", "skmetric._dask_partitions"}:
    importlib.import_module(name)
assert importlib.metadata.version("skmetric") == skmetric.__version__
model = skmetric.TripletMetricTransformer(2, (4,), max_iter=1)
assert model.fit_transform([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).shape == (4, 2)
print(f"skmetric {skmetric.__version__}: {len(modules)} modules imported")
PYTHON
done
