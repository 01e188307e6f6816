"""Checkpoints: a training that was stopped goes on to the bits of one that was not."""

import copy
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal, assert_equal
from profiles import by_profile
from recorders import Recorder, needs_callbacks
from shared import DIFFICULT, ESTIMATORS, X, Y, assert_same_model, each, fitted_attributes
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmetric
from skmetric import ContrastiveMetricTransformer, SoftmaxMLPClassifier, TripletMetricTransformer
from skmetric.callbacks import Checkpoint, load_checkpoint
from skmetric.pairs import make_pairs, make_triplets

ROOT = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.filterwarnings("error", "ignore:The embedding collapses"),
    needs_callbacks,
]
SETTINGS = {
    "defaults": {"n_networks": 2},
    "early stopping, dropout": {
        "early_stopping": True,
        "dropout": 0.3,
        "n_iter_no_change": 2,
        "tol": 0.1,
    },
    "momentum, adaptive": {
        "solver": "sgd",
        "momentum": 0.9,
        "learning_rate": "adaptive",
        "tol": 0.01,
        "n_iter_no_change": 1,
    },
    "batch normalisation, cosine": {"batch_norm": True, "learning_rate": "cosine", "input_dropout": 0.2},
    "adversarial, scaled": {"adversarial": 0.1, "standardize": "features", "alpha": 0.01},
}
OF_EMBEDDINGS = {"head_weight": 0.5, "input_weight": 1.0, "normalize": True}
each_setting = pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())


class Stopped(Exception):
    pass


class StopsAfter(Recorder):
    """Callback that fails after some epochs, in the place of a power cut."""

    def __init__(self, n_epochs, error=Stopped):
        super().__init__()
        self.left = n_epochs
        self.error = error

    def on_fit_task_end(self, estimator, context):
        self.left -= context.task_name == "epoch"
        if self.left == 0 and context.task_name == "epoch":
            raise self.error


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def stopped(model, path, n_epochs, X=X, y=Y, **options):
    """Train until the training stops after some epochs."""
    model = clone(model).set_callbacks(Checkpoint(path, **options), StopsAfter(n_epochs))
    with pytest.raises(Stopped):
        model.fit(X, y)


def full(model, **more):
    known = model.get_params()
    return model.set_params(**{name: value for name, value in more.items() if name in known})


# --- the same bits ----------------------------------------------------------------------------------


@each
@each_setting
@pytest.mark.parametrize("n_epochs", [1, 4])
def test_a_training_goes_on_to_the_same_bits(Estimator, settings, n_epochs, small, path):
    data = DIFFICULT
    model = full(small(Estimator, max_iter=6, **settings), **OF_EMBEDDINGS)
    whole = clone(model).fit(*data)
    stopped(model, path, n_epochs, *data)
    loaded = load_checkpoint(path)
    assert loaded.n_iter_ == n_epochs
    assert_equal(loaded.get_params(), model.get_params())
    goes_on = loaded.fit(*data)
    assert_same_model(goes_on, whole)
    assert_equal(without_times(goes_on), without_times(whole))
    assert vars(goes_on).keys() == vars(whole).keys()


def without_times(model):
    attributes = fitted_attributes(model)
    for entry in attributes.pop("history_"):
        entry.pop("seconds")
    return attributes


@each
def test_it_may_be_stopped_again_and_again(Estimator, small, path):
    model = small(Estimator, max_iter=5, dropout=0.2)
    stopped(model, path, 1)
    for _ in range(3):
        with pytest.raises(Stopped):
            load_checkpoint(path).set_callbacks(Checkpoint(path), StopsAfter(1)).fit(X, Y)
    assert load_checkpoint(path).n_iter_ == 4
    assert_same_model(load_checkpoint(path).fit(X, Y), model.fit(X, Y))


@each
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_that_was_stopped_goes_on(Estimator, early_stopping, small, path):
    model = full(small(Estimator, warm_start=True, early_stopping=early_stopping), input_weight=1.0)
    model.fit(X, Y)
    watched = copy.deepcopy(model).set_callbacks(Checkpoint(path), StopsAfter(2))
    with pytest.raises(Stopped):
        watched.fit(X, Y)
    goes_on = load_checkpoint(path)
    assert goes_on.n_iter_ == 5
    assert_same_model(goes_on.fit(X, Y), model.fit(X, Y))
    # The optimizer and the random numbers go on too.
    assert_same_model(goes_on.fit(X, Y), model.fit(X, Y))


@each
def test_more_epochs_may_be_asked_for(Estimator, small, path):
    small(Estimator, max_iter=2).set_callbacks(Checkpoint(path)).fit(X, Y)
    longer = load_checkpoint(path, max_iter=5).fit(X, Y)
    assert_same_model(longer, small(Estimator, max_iter=5).fit(X, Y))


@each
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_complete_training_is_returned_at_once(Estimator, early_stopping, small, path):
    noisy = np.random.default_rng(0).permutation(Y)
    model = small(Estimator, max_iter=4, early_stopping=early_stopping).set_callbacks(Checkpoint(path))
    model.fit(X, noisy)
    loaded = load_checkpoint(path)
    assert_same_model(loaded.fit(X, noisy), model)


@each
def test_a_fit_after_the_training_begins_anew(Estimator, small, path):
    model = small(Estimator).set_callbacks(Checkpoint(path)).fit(X, Y)
    loaded = load_checkpoint(path).fit(X, Y)
    assert_same_model(loaded.fit(X, Y), model)
    assert loaded.fit(X[::2], Y[::2]).n_iter_ == 3


@each
def test_a_clone_begins_anew(Estimator, small, path):
    stopped(small(Estimator), path, 1)
    assert_same_model(
        clone(load_checkpoint(path)).fit(X[::2], Y[::2]), small(Estimator).fit(X[::2], Y[::2])
    )


@each
def test_a_pass_goes_on_from_the_weights(Estimator, small, path):
    model = small(Estimator, max_iter=4, dropout=0.2)
    stopped(model, path, 2)
    passed = load_checkpoint(path).partial_fit(X, Y)
    assert_same_model(passed, model.set_params(max_iter=3).fit(X, Y))
    assert vars(passed).keys() == vars(small(Estimator).partial_fit(X, Y, classes=np.unique(Y))).keys()


@each
def test_after_ctrl_c_a_training_goes_on_to_the_same_bits(Estimator, small, path):
    model = small(Estimator, max_iter=4)
    watched = clone(model).set_callbacks(Checkpoint(path), StopsAfter(2, KeyboardInterrupt))
    with pytest.warns(UserWarning, match="interrupted"):
        watched.fit(X, Y)
    assert_same_model(load_checkpoint(path).fit(X, Y), model.fit(X, Y))


@each
def test_a_checkpoint_embeds_as_the_model_of_its_epoch(Estimator, small, path, outputs):
    model = full(small(Estimator, max_iter=4), input_weight=1.0)
    stopped(model, path, 3)
    assert_array_equal(
        outputs(load_checkpoint(path), X), outputs(model.set_params(max_iter=3).fit(X, Y), X)
    )


def test_weights_of_rows_belong_to_the_data(small, path):
    weights = np.arange(150) % 3 + 1
    model = small(SoftmaxMLPClassifier, class_weight={0: 2.0, 1: 1.0, 2: 1.0})
    watched = clone(model).set_callbacks(Checkpoint(path), StopsAfter(1))
    with pytest.raises(Stopped):
        watched.fit(X, Y, sample_weight=weights)
    with pytest.raises(ValueError, match="from a checkpoint"):
        load_checkpoint(path).fit(X, Y)
    goes_on = load_checkpoint(path).fit(X, Y, sample_weight=weights)
    assert goes_on.class_weight == model.class_weight
    assert_same_model(goes_on, model.fit(X, Y, sample_weight=weights))


# --- pairs, triplets, pipelines ---------------------------------------------------------------------


@pytest.mark.parametrize("by_number", [False, True])
def test_pairs_go_on(by_number, small, path):
    pairs, same = make_pairs(Y, 100, rng=0)
    data = {"X": X} if by_number else {}
    pairs = pairs if by_number else X[pairs]
    model = small(ContrastiveMetricTransformer, max_iter=4, dropout=0.2)
    watched = clone(model).set_callbacks(Checkpoint(path), StopsAfter(2))
    with pytest.raises(Stopped):
        watched.fit_pairs(pairs, same, **data)
    with pytest.raises(ValueError, match="from a checkpoint"):
        load_checkpoint(path).fit(X, Y)
    assert_same_model(
        load_checkpoint(path).fit_pairs(pairs, same, **data), model.fit_pairs(pairs, same, **data)
    )


def test_triplets_go_on(small, path):
    triplets = make_triplets(Y, 100, rng=0)
    model = small(TripletMetricTransformer, max_iter=4, solver="sgd", momentum=0.9)
    watched = clone(model).set_callbacks(Checkpoint(path), StopsAfter(2))
    with pytest.raises(Stopped):
        watched.fit_triplets(triplets, X=X)
    goes_on = load_checkpoint(path).fit_triplets(triplets, X=X)
    assert_same_model(goes_on, model.fit_triplets(triplets, X=X))
    assert not hasattr(goes_on, "classes_")


@each
def test_a_step_of_a_pipeline_goes_on(Estimator, small, path):
    def pipeline(model):
        last = [] if Estimator is SoftmaxMLPClassifier else [KNeighborsClassifier()]
        return make_pipeline(StandardScaler(), model, *last)

    model = small(Estimator, max_iter=4)
    watched = clone(model).set_callbacks(Checkpoint(path), StopsAfter(2))
    with pytest.raises(Stopped):
        pipeline(watched).fit(X, Y)
    goes_on = pipeline(load_checkpoint(path)).fit(X, Y)
    assert_same_model(goes_on[1], pipeline(model).fit(X, Y)[1])
    assert goes_on.score(X, Y) == pipeline(model).fit(X, Y).score(X, Y)


# --- what the file holds ----------------------------------------------------------------------------


@each
def test_labels_and_names_keep_their_type(Estimator, small, path):
    rows = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    labels = np.array(["x", "y", "z"], dtype=object)[Y]
    model = (
        small(Estimator).set_callbacks(Checkpoint(path)).set_output(transform="pandas").fit(rows, labels)
    )
    loaded = load_checkpoint(path)
    assert loaded.classes_.dtype == loaded.feature_names_in_.dtype == object
    assert_array_equal(loaded.classes_, model.classes_)
    assert_array_equal(loaded.feature_names_in_, ["a", "b", "c", "d"])
    pd.testing.assert_frame_equal(loaded.transform(rows), model.transform(rows))


@each
def test_numbers_of_numpy_and_sequences_are_parameters_as_others(Estimator, small, path):
    sizes = np.array([5, 3])
    model = small(Estimator, hidden_layer_sizes=sizes, alpha=np.float64(0.1), max_iter=np.int64(2))
    stopped(model, path, 1)
    loaded = load_checkpoint(path)
    assert_array_equal(loaded.hidden_layer_sizes, sizes)
    assert (loaded.alpha, loaded.max_iter) == (0.1, 2)
    assert_same_model(loaded.fit(X, Y), model.fit(X, Y))


@each
def test_functions_are_given_again(Estimator, small, path):
    def halved(epoch):
        return 0.5**epoch

    model = small(Estimator, max_iter=4, learning_rate=halved, random_state=np.random.RandomState(0))
    stopped(model, path, 2)
    with pytest.raises(
        ValueError, match=r"learning_rate, random_state.*learning_rate=\.\.\., random_state=\.\.\."
    ):
        load_checkpoint(path)
    with pytest.raises(ValueError, match=r"load_checkpoint\(path, random_state=\.\.\.\)"):
        load_checkpoint(path, learning_rate=halved)
    goes_on = load_checkpoint(path, learning_rate=halved, random_state=None).fit(X, Y)
    assert_same_model(goes_on, model.set_params(random_state=np.random.RandomState(0)).fit(X, Y))


@each
def test_no_rows_and_no_pickle(Estimator, small, path):
    sizes = []
    for n in (1, 10):
        stopped(small(Estimator), path, 1, np.tile(X, (n, 1)), np.tile(Y, n))
        sizes.append(path.stat().st_size)
        path.unlink()
    assert sizes[1] < sizes[0] + 100
    stopped(small(Estimator), path, 1)
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "fiuU" for name in archive)
        json.loads(archive["checkpoint"].tobytes())


@each
@pytest.mark.parametrize("every, written", [(1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (9, [5])])
def test_a_file_every_few_epochs_and_after_the_last(Estimator, every, written, small, path):
    found = []

    class Reads(StopsAfter):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "epoch" and path.exists():
                found.append(load_checkpoint(path).n_iter_)

    small(Estimator, max_iter=5).set_callbacks(Checkpoint(path, every=every), Reads(0)).fit(X, Y)
    assert sorted(set(found)) == written


@each
def test_training_is_not_changed(Estimator, small, path):
    model = small(Estimator, dropout=0.2).set_callbacks(Checkpoint(path)).fit(X, Y)
    plain = small(Estimator, dropout=0.2).fit(X, Y)
    assert_same_model(model, plain)
    assert vars(model).keys() - {"_skl_callbacks"} == vars(plain).keys()


def test_the_folder_may_be_left(small, path, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)

    class Leaves(StopsAfter):
        def on_fit_task_begin(self, estimator, context):
            os.chdir(tmp_path / "other")

    small(TripletMetricTransformer).set_callbacks(Checkpoint("model.npz"), Leaves(0)).fit(X, Y)
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "other"]
    assert os.listdir(tmp_path / "other") == []


# --- refused in words -------------------------------------------------------------------------------


@each
@pytest.mark.parametrize(
    "rows, labels",
    [(X[:149], Y[:149]), (X + 0.01, Y), (X, np.roll(Y, 1)), (X.astype(np.float32), Y)],
    ids=["fewer", "other rows", "other labels", "other type"],
)
def test_other_data_are_refused(Estimator, rows, labels, small, path):
    stopped(small(Estimator), path, 1)
    loaded = load_checkpoint(path)
    before = vars(loaded).copy()
    with pytest.raises(ValueError, match="comes from a checkpoint"):
        loaded.fit(rows, labels)
    assert all(vars(loaded)[name] is before[name] for name in before)


@each
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_is_refused(Estimator, n_jobs, small, path):
    model = small(Estimator).set_callbacks(Checkpoint(path))
    with pytest.raises(ValueError, match="in a search"):
        GridSearchCV(model, {"alpha": [0.0, 0.1]}, cv=2, error_score="raise", n_jobs=n_jobs).fit(X, Y)
    assert not path.exists()


@pytest.mark.parametrize(
    "model", [LogisticRegression(), make_pipeline(StandardScaler(), KNeighborsClassifier())]
)
def test_other_estimators_are_refused(model, path):
    if not hasattr(model, "set_callbacks"):
        pytest.skip("this estimator of scikit-learn has no callbacks")
    with pytest.raises(TypeError, match="Call set_callbacks on the estimator of skmetric"):
        model.set_callbacks(Checkpoint(path)).fit(X, Y)


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "1"])
def test_every_is_a_number_of_epochs(every, path):
    with pytest.raises(ValueError, match="every must be an integer > 0"):
        Checkpoint(path, every=every)


def test_a_path_is_needed():
    with pytest.raises(TypeError, match="path"):
        Checkpoint(3)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 and no more"])
def test_a_file_that_is_no_checkpoint_is_said(content, path, small):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no checkpoint, or it is damaged"):
        load_checkpoint(path)
    with pytest.raises(ValueError, match="would replace another file"):
        small(TripletMetricTransformer).set_callbacks(Checkpoint(path)).fit(X, Y)
    assert path.read_bytes() == content


def test_other_archives_are_no_checkpoints(path):
    np.savez(path, X=X)
    with pytest.raises(ValueError, match="is no checkpoint"):
        load_checkpoint(path)


def test_a_damaged_file_is_said(small, path):
    stopped(small(TripletMetricTransformer), path, 1)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for size in rng.integers(len(content), size=20):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match="is no checkpoint, or it is damaged"):
            load_checkpoint(path)


def test_a_file_of_a_newer_version_is_said(small, path):
    stopped(small(TripletMetricTransformer), path, 1)
    with np.load(path) as archive:
        arrays = dict(archive)
    version = skmetric.__version__
    text = arrays["checkpoint"].tobytes().replace(version.encode(), b"9.9.0")
    np.savez(path, **arrays | {"checkpoint": np.frombuffer(text, np.uint8)})
    with pytest.raises(ValueError, match=r"saved by skmetric 9\.9\.0"):
        load_checkpoint(path)


def test_an_unknown_parameter_is_said(small, path):
    stopped(small(TripletMetricTransformer), path, 1)
    with pytest.raises(TypeError, match="margins"):
        load_checkpoint(path, margins=3)


def test_no_file_is_said(path):
    with pytest.raises(FileNotFoundError, match=r"model\.npz"):
        load_checkpoint(path)


WITHOUT = """
import sys
import sklearn.decomposition, sklearn.model_selection, sklearn.pipeline, sklearn.metrics
sys.modules["sklearn.callback"] = None
from skmetric.callbacks import Checkpoint, load_checkpoint
try:
    Checkpoint("model.npz")
except ImportError as error:
    print(error)
print(load_checkpoint(sys.argv[1]).n_iter_)
"""


def test_without_callbacks_the_error_names_the_version_and_models_load(small, path):
    stopped(small(TripletMetricTransformer), path, 2)
    command = [sys.executable, "-c", WITHOUT, str(path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    error, n_epochs = done.stdout.splitlines()
    assert error.startswith("Checkpoint needs scikit-learn 1.9 or later")
    assert n_epochs == "2"


# --- nothing is lost --------------------------------------------------------------------------------


@each
def test_an_unfinished_training_is_kept_when_another_begins(Estimator, small, path):
    stopped(small(Estimator, random_state=0), path, 2)
    first = path.read_bytes()
    watched = small(Estimator, random_state=1).set_callbacks(Checkpoint(path))
    with pytest.warns(
        UserWarning, match=r"unfinished training of 2 epochs.*renamed to .*model\.npz\.previous"
    ):
        watched.fit(X, Y)
    assert Path(f"{path}.previous").read_bytes() == first
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watched.fit(X, Y)  # the training in the file is complete


def only_warning(model, X=X, y=Y):
    """Fit, and return the message of the only warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    (warning,) = caught
    assert warning.filename == __file__
    return str(warning.message)


def assert_goes_on_without(path, words, small):
    """Training goes on with one warning, to the same bits."""
    model = small(TripletMetricTransformer, max_iter=4)
    message = only_warning(clone(model).set_callbacks(Checkpoint(path)))
    assert "could not be written after epoch 1" in message
    assert words in message
    watched = clone(model).set_callbacks(Checkpoint(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert_same_model(watched.fit(X, Y), model.fit(X, Y))


def test_a_path_that_is_a_folder(small, path):
    path.mkdir()
    assert_goes_on_without(path, "directory", small)
    assert os.listdir(path.parent) == [path.name]
    assert os.listdir(path) == []


def test_a_folder_that_does_not_exist(small, path):
    assert_goes_on_without(path / "model.npz", "No such file", small)


def test_a_read_only_file_stays(small, path):
    small(TripletMetricTransformer).set_callbacks(Checkpoint(path)).fit(X, Y)
    content = path.read_bytes()
    path.chmod(0o444)
    assert_goes_on_without(path, "read-only", small)
    assert path.read_bytes() == content


@pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd"), reason="a folder that root cannot write is in /proc"
)
def test_a_folder_that_cannot_be_written(small):
    assert_goes_on_without("/proc/self/fd/model.npz", "No such file", small)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if done.returncode:
        pytest.skip("needs the right to mount a file system")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a file system as Linux does")
def test_a_full_disk_keeps_the_last_file(small, small_disk):
    path = small_disk / "model.npz"
    model = small(TripletMetricTransformer, max_iter=6)
    fills = small_disk / "filling"

    class Fills(StopsAfter):
        def on_fit_task_end(self, estimator, context):
            if context.task_name == "epoch" and context.task_id == 1:
                space = os.statvfs(small_disk)
                fills.write_bytes(bytes(space.f_bavail * space.f_bsize))

    message = only_warning(clone(model).set_callbacks(Checkpoint(path), Fills(0)))
    assert "could not be written after epoch 3" in message
    assert "No space left" in message
    assert sorted(os.listdir(small_disk)) == ["filling", "model.npz"]
    loaded = load_checkpoint(path)
    assert loaded.n_iter_ == 2
    fills.unlink()
    assert_same_model(loaded.fit(X, Y), model.fit(X, Y))


KILLS = """
import os, signal, sys, time, warnings
import numpy as np
from sklearn.datasets import load_digits
import skmetric
from skmetric.callbacks import Checkpoint, load_checkpoint

warnings.simplefilter("ignore")
name, n_kills, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
X, y = (part[:300] for part in load_digits(return_X_y=True))
common = dict(hidden_layer_sizes=(20,), max_iter=12, dropout=0.3, random_state=0)
SETTINGS = [
    dict(early_stopping=True, solver="sgd", momentum=0.9, learning_rate="adaptive", n_iter_no_change=20),
    dict(n_networks=2, batch_norm=True, learning_rate="cosine"),
]
rng = np.random.default_rng(int.from_bytes(os.urandom(4), "little"))

class Tells:
    # Called before Checkpoint: the number of the epoch that has ended and may not be in the file yet.
    def __init__(self, pipe):
        self.pipe = pipe
    def setup(self, estimator, context):
        pass
    def teardown(self, estimator, context):
        pass
    def on_fit_task_begin(self, estimator, context):
        pass
    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch":
            os.write(self.pipe, bytes([context.task_id + 1]))

def killed_after(seconds, path, model):
    # Fit in a child that is killed; return the number of epochs that ended.
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        model.set_callbacks(Tells(writes), Checkpoint(path)).fit(X, y)
        os._exit(0)
    os.close(writes)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told = os.read(reads, 100)
    os.close(reads)
    return told[-1] if told else 0

for settings in SETTINGS:
    make = lambda: getattr(skmetric, name)(**common, **settings)
    whole = make().fit(X, y)
    began = time.perf_counter()
    make().set_callbacks(Checkpoint(folder + "/timed.npz")).fit(X, y)
    seconds = time.perf_counter() - began
    for k in range(n_kills // len(SETTINGS)):
        path = f"{folder}/model_{k}.npz"
        n_epochs = killed_after(1.3 * seconds * rng.random(), path, make())
        if os.path.exists(path):
            model = load_checkpoint(path)
            lost = n_epochs - model.n_iter_
        else:
            model, lost = make(), n_epochs
        model.fit(X, y)
        pairs = zip([*model.coefs_, *model.intercepts_], [*whole.coefs_, *whole.intercepts_])
        same = all(np.array_equal(*pair) for pair in pairs)
        same = same and model.loss_curve_ == whole.loss_curve_
        same = same and model.validation_scores_ == whole.validation_scores_
        print(n_epochs, lost, int(same))
        if os.path.exists(path):
            os.remove(path)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills children that are forked")
@pytest.mark.parametrize("name", [Estimator.__name__ for Estimator in ESTIMATORS])
def test_a_killed_training_loses_one_epoch_at_most_and_goes_on_to_the_same_bits(
    name, tmp_path, record_property
):
    n_kills = by_profile(2, 100)
    command = [sys.executable, "-c", KILLS, name, str(n_kills), str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    outcomes = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert len(outcomes) == n_kills
    epochs, lost, same = zip(*outcomes)
    record_property("kills", n_kills)
    record_property("kills_within_the_training", sum(0 < n < 12 for n in epochs))
    record_property("same_bits", sum(same))
    record_property("most_epochs_lost", max(lost))
    assert max(lost) <= 1
    assert all(same)
