import os

# scikit-learn's checks of array API input are skipped without it. SciPy reads it when it is imported.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
