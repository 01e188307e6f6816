"""Write the tables of the READMEs, here and above, and of the pages in docs/ anew from results/.

``python benchmarks/tables.py``

A table stands between ``<!-- NAME -->`` and ``<!-- end -->``, where NAME is a function here.
"""

import json
import re
from functools import partial
from pathlib import Path
from statistics import fmean

HERE = Path(__file__).parent


def load(name):
    return json.loads((HERE / "results" / f"{name}.json").read_text())


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def spread(ratio):
    median, low, high = ratio
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def percent(value):
    return f"{100 * value:.2f} %"


def quickstart():
    def rows_of(name):
        # Raw rows have as many dimensions as the data.
        return {(row["method"], row["dimensions"] == 2): row for row in load(name)["rows"]}

    digits, mnist = rows_of("quickstart_digits"), rows_of("quickstart_mnist")
    rows = []
    for key, row in digits.items():
        other = mnist.get(key)
        cells = [f"{100 * other['accuracy']:.1f} %", f"{other['seconds']:.1f}"] if other else ["", ""]
        own = [f"{100 * row['accuracy']:.1f} %", f"{row['seconds']:.1f}"]
        dimensions = "all" if row["method"] == "raw" else row["dimensions"]
        rows.append([row["method"], dimensions, *own, *cells])
    return table(["method", "dimensions", "digits", "seconds", "MNIST", "seconds"], rows)


def first():
    rows = []
    for name, entry in load("first")["cases"].items():
        accuracies = ", ".join(percent(value) for value in entry["accuracy"])
        times = entry["fit_seconds"]
        rows.append([name, accuracies, f"{min(times):.1f} to {max(times):.1f}"])
    return table(["what", "accuracy", "seconds to fit"], rows)


def _epoch(n_threads):
    peers = ["floor", "MLPClassifier", "PyTorch", "JAX"]
    rows = []
    for row in load(f"epoch_{n_threads}_threads")["rows"]:
        contestants = row["contestants"]
        ours = contestants["skmetric"]
        ratios = [f"{contestants[peer]['skmetric_over_this']:.2f}" for peer in peers]
        size = f"{'-'.join(map(str, row['hidden']))} x {row['batch']}"
        rows.append([size, row["solver"], f"{ours['median_s']:.2f} s", *ratios])
    return table(["hidden x batch", "solver", "skmetric", *(f"/ {peer}" for peer in peers)], rows)


epoch_one = partial(_epoch, 1)
epoch_all = partial(_epoch, 2)


def _triplet_loss(n_threads):
    rows = []
    for n, contestants in load(f"triplet_loss_{n_threads}_threads")["peers"].items():
        cells = [
            f"{1000 * entry['median_s']:.1f} ms, {entry['ratio_to_skmetric'][0]:.0f} x"
            for entry in contestants.values()
        ]
        rows.append([n, *cells])
    return table(["B", "skmetric", "pytorch-metric-learning", "dense B^3 in JAX"], rows)


triplet_loss_one = partial(_triplet_loss, 1)
triplet_loss_all = partial(_triplet_loss, 2)


def triplet_growth():
    growth = load("triplet_loss_1_threads")["growth"]
    sizes = growth["all"]["sizes"]
    rows = [
        [
            mining,
            *(f"{1000 * s:.1f} ms" for s in entry["median_s"]),
            f"{entry['exponent']:.2f}",
            f"{entry['peak_arrays_at_1024']:.1f}",
        ]
        for mining, entry in growth.items()
    ]
    return table(["mining", *(f"B={n}" for n in sizes), "exponent", "memory, in B x B arrays"], rows)


def triplet_epoch():
    one, both, busy = (
        load(f"triplet_epoch_{part}")["cases"] for part in ("1_threads", "2_threads", "2_threads_busy")
    )
    rows = []
    for size, contestants in one.items():
        for name in contestants:
            own = [size, name]
            for found in (one, both):
                measured = found[size][name]
                own.append(f"{measured['median_s']:.2f} s, {measured['ratio_to_skmetric, all'][0]:.2f} x")
            loaded = f"{busy[size][name]['median_s']:.2f} s" if name in busy[size] else ""
            rows.append([*own, loaded])
    return table(["hidden x batch", "", "one CPU", "all cores", "all, and a busy process on each"], rows)


def threads():
    result = load("threads")
    rows = []
    for quiet, busy in zip(result["quiet"], result["busy"]):
        curve = quiet["model"]["ratio_to_one_thread"]
        seconds = f"{quiet['times']['1 threads']['median_s']:.2f} s"
        measured = [spread(quiet["two_over_one"]), spread(busy["two_over_one"])]
        rows.append([quiet["case"], seconds, *measured, *(f"{ratio:.2f}" for ratio in curve.values())])
    more = [f"{n} (model)" for n in result["quiet"][0]["model"]["ratio_to_one_thread"]]
    return table(["hidden x batch", "one thread", "two, quiet", "two, busy", *more], rows)


def serving():
    rows = [
        [row["threads"], f"{row['rows_a_second']:,.0f}", spread(row["ratio"])]
        for row in load("serving")["rows"]
    ]
    return table(["threads that call", "rows a second", "of one"], rows)


def heartbeat():
    return "{:.1f} ms".format(load("serving")["heartbeat"]["longest_ms"])


def memory():
    result = load("memory")
    names = {
        "fit_uint8": "fit, triplet, 60,000 x 784 uint8",
        "classifier_uint8": "fit, classifier, 60,000 x 784 uint8",
        "fit_in_memory": "fit, triplet, 1,000,000 x 512 float32 in memory",
        "fit_memmap": "the same from a memory map, read from the disk",
        "transform": "transform, 1,000,000 x 512 through 256 to 64",
        "predict_proba": "predict_proba, the same to 10",
        "pairwise_distance": "pairwise_distance among 10,000 rows",
    }
    rows = []
    for key, name in names.items():
        entry = result[key]
        per_row = f"{entry['us_per_row']:.1f} us a row" if "us_per_row" in entry else ""
        products = " x the full float64 product" if key == "pairwise_distance" else " x its products"
        cost = spread(entry["ratio"]) + products if "ratio" in entry else per_row
        own = f"{entry['result_mb']:.0f} MB" if "result_mb" in entry else ""
        rows.append([name, f"{entry['extra_mb']:.0f} MB", own, cost])
    return table(["what", "extra memory", "of which result", "time"], rows)


def imports():
    added = load("import")["skmetric_adds_ms"]
    return "{:.0f} ms ({:.0f} to {:.0f})".format(*added)


def peers():
    rows = load("peers")["rows"]
    sizes = sorted({row["n"] for row in rows})
    methods = list(dict.fromkeys(row["method"] for row in rows))

    def cell(method, n):
        found = [row for row in rows if (row["method"], row["n"]) == (method, n)]
        if not found:
            return ""
        if "failed" in found[0]:
            return found[0]["failed"]
        return "{:.1f} s, {:.0f} MB, ".format(*map(found[0].get, ("seconds", "extra_mb"))) + percent(
            found[0]["accuracy"]
        )

    return table(["rows", *methods], [[n, *(cell(method, n) for method in methods)] for n in sizes])


def _options(options):
    return ", ".join(f"{name}={value!r}" for name, value in options.items()) or "the defaults"


def _tuning(kind):
    rows = [
        [
            _options(row["options"]),
            percent(row["mean_accuracy"]),
            f"{row['mean_rank']:.1f}",
            f"{row['seconds']:.0f}",
        ]
        for row in load(f"tuning_{kind}")["rows"]
    ]
    return table(["changed", "mean accuracy", "mean rank", "seconds"], rows)


tuning_triplet = partial(_tuning, "triplet")
tuning_contrastive = partial(_tuning, "contrastive")
tuning_neighborhood = partial(_tuning, "neighborhood")
tuning_softmax = partial(_tuning, "softmax")
tuning_triplet_rows = partial(_tuning, "triplet_rows")
tuning_softmax_rows = partial(_tuning, "softmax_rows")


def standardize_sets():
    found = {
        row["options"].get("standardize", "auto"): row["accuracy"]
        for row in load("tuning_triplet_rows")["rows"]
        if row["options"].keys() <= {"standardize"}
    }
    rows = [[name, *(percent(found[choice][name]) for choice in found)] for name in found["auto"]]
    return table(["set", *(f'"{choice}"' for choice in found)], rows)


def _crossed(cells, methods):
    """A table of sets down and methods across, from cells by (set, method)."""
    sets = dict.fromkeys(set_name for set_name, _ in cells)
    return table(["set", *methods], [[s, *(cells[s, method] for method in methods)] for s in sets])


def defaults():
    rows = []
    for method, entry in load("defaults")["table"].items():
        worst = entry["worst_against_raw"]
        lost = "some fits failed" if worst is None else f"{worst[0]:+.1f} ({worst[1]})"
        ratio, where = entry["slowest_against_mlp"]
        # Where some failed, limits stand for their times.
        at_least = "> " if worst is None else ""
        slowest = f"{at_least}{ratio:.2g} ({where})"
        times = f"{at_least}{entry['seconds_of_all_sets']:.1f}"
        rows.append([method, f"{entry['mean_rank']:.1f}", entry["wins"], lost, times, slowest])
    header = ["method", "mean rank", "wins", "worst against raw, points"]
    return table([*header, "seconds, all sets", "slowest against MLPClassifier"], rows)


def defaults_sets():
    rows, methods = load("defaults")["rows"], list(load("defaults")["table"])
    cells = {
        (row["set"], row["method"]): f"{100 * sum(row['accuracy']) / len(row['accuracy']):.1f}"
        if row["ended"]
        else "-"
        for row in rows
    }
    return _crossed(cells, methods)


def retrieval():
    result = load("retrieval")
    rows = [
        [
            "10,000 queries, leave-one-out",
            f"{result['10,000']['seconds']:.1f} s",
            f"{result['10,000']['extra_mb']:.0f} MB",
            spread(result["against float64"]["ratio_to_product and partition, float64"]),
            spread(result["against float32"]["ratio_to_product and partition, float32"]),
        ]
    ]
    if "60,000" in result:
        large = result["60,000"]
        rows.append(["60,000", f"{large['seconds']:.1f} s", f"{large['extra_mb']:.0f} MB", "", ""])
    rows.append(["AccuracyCalculator, 10,000", f"{result['peer']['seconds']:.1f} s", "", "", ""])
    header = ["what", "seconds", "extra memory", "of product and partition in float64"]
    return table([*header, "in float32"], rows)


def approximate():
    rows = []
    for row in load("approximate")["rows"]:
        cpus = "one CPU" if row["threads"] == 1 else f"{row['threads']} CPUs"
        gallery = f"{row['n_rows']:,} rows ({row['gallery_mb']:.0f} MB), {cpus}"
        recalls = [f"{row[key]:.3f}" if key in row else "" for key in ("recall_at_5", "recall_at_10")]
        queries = f"{row['query_s_per_1000']:.3f} s, {row['queries_exact_over_this']:.1f} x"
        costs = [f"{row['first_use_s']:.1f} s", f"{row['build_s']:.1f} s", queries]
        accuracy = percent(row["accuracy"])
        rows.append([gallery, row["method"], *recalls, accuracy, *costs, f"{row['extra_mb']:.0f} MB"])
    header = ["gallery", "search", "recall@5", "recall@10", "5-NN accuracy", "first use", "build"]
    return table([*header, "1,000 queries", "extra memory"], rows)


def pairs_peers():
    cells = {
        (row["set"], row["method"]): f"{fmean(row['auc']):.4f}, {fmean(row['seconds']):.1f} s"
        for row in load("pairs")["peers"]
    }
    return _crossed(cells, list(dict.fromkeys(method for _, method in cells)))


def pairs_labels():
    rows = [
        [row["set"], row["supervision"], percent(fmean(row["accuracy"])), f"{fmean(row['seconds']):.1f}"]
        for row in load("pairs")["labels"]
    ]
    return table(["set", "supervision", "5-NN accuracy", "seconds"], rows)


MEASURES_OF_CLASSES = {
    "recall@1": "recall_at_1",
    "MAP@R": "mean_average_precision_at_r",
    "1 example": "one_shot",
    "5 examples": "five_shot",
    "known classes, 5-NN": "old_accuracy",
}


def _of_classes(rows, key, head):
    groups, columns = {}, MEASURES_OF_CLASSES.values()
    for row in rows:
        groups.setdefault(tuple(row[name] for name in key), []).append(row)
    cells = [
        [*group, *(f"{fmean(row[measure] for row in members):.3f}" for measure in columns)]
        for group, members in groups.items()
    ]
    return table([*head, *MEASURES_OF_CLASSES], cells)


def unseen():
    return _of_classes(load("unseen")["rows"], ["set", "method"], ["set", "rows as"])


def input_weights():
    return _of_classes(load("tuning_input_weight")["rows"], ["method"], ["candidate"])


def input_weights_sets():
    compared = ["TripletMetricTransformer, 1.0", "TripletMetricTransformer, 2.0"]
    rows = [row for row in load("tuning_input_weight")["rows"] if row["method"] in compared]
    return _of_classes(rows, ["set", "method"], ["set", "candidate"])


def few_rows():
    rows = load("few_rows")["rows"]
    judges = [name for name in rows[0] if name not in ("set", "method", "split")]
    cells = []
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        cells.append([method, *(percent(fmean(row[judge] for row in own)) for judge in judges)])
    return table(["rows as", *judges], cells)


def headline():
    rows = []
    for name, case in load("headline")["cases"].items():
        errors = case["error_percent"]
        times = case["seconds"]
        rows.append(
            [
                name.replace("_", " "),
                f"{case['mean_error_percent']:.2f} %",
                len(errors),
                f"{min(errors):.2f} to {max(errors):.2f}",
                f"{min(times):.0f} to {max(times):.0f}",
                f"`{' '.join(case['model'].split())}`",
            ]
        )
    return table(["what", "error, mean", "seeds", "lowest to highest", "seconds to fit", "model"], rows)


def ancestors():
    rows = []
    for letter in "ABCD":
        result = load(f"ancestor_{letter}")
        for name, entry in result["rows"].items():
            reported = result["reported"].get(name, "")
            if "failed" in entry:
                rows.append([letter, name, reported, "diverged", "", ""])
                continue
            cells = [percent(entry[part]) if part in entry else "" for part in ("validation", "test")]
            rows.append([letter, name, reported, *cells, f"{entry['seconds']:.1f}"])
    return table(["", "what", "the original reported", "validation", "test", "seconds"], rows)


# What the tests of a promise record: how to sum it up, and how to say it.
RECORDS = {
    "kills": ("sum", "{:,} kills"),
    "kills_within_the_training": ("sum", "{:,} of them within the training"),
    "same_bits": ("sum", "{:,} with the same bits"),
    "most_epochs_lost": ("max", "at most {} epoch lost"),
    "moments": ("sum", "{:,} moments"),
    "failures": ("sum", "{:,} errors"),
    "children": ("sum", "{:,} children"),
    "searches": ("sum", "{:,} searches at the same time"),
    "fits": ("sum", "{:,} fits"),
    "partial_fits": ("sum", "{:,} passes"),
    "failing_fits": ("sum", "{:,} failing fits"),
    "memory_growth_mb": ("max", "{:.1f} MB more"),
    "sequences": ("sum", "{:,} sequences"),
    "draws": ("sum", "{:,} draws"),
    "fitted": ("sum", "{:,} of them fitted"),
    "gradients_checked": ("sum", "{:,} gradients"),
    "extremes": ("sum", "{:,} draws"),
    "exact": ("sum", "{:,} draws"),
    "mutated_files": ("sum", "{:,} files"),
    "mutated_files_read": ("sum", "{:,} of them read"),
    "mistakes": ("sum", "{:,} mistakes"),
    "seeds": ("max", "up to {} seeds"),
}


def _figure(promise):
    """What the tests of a promise counted, and how many of them passed."""
    records = {}
    for name, totals in promise["records"].items():
        # A record of an estimator has its name behind.
        records.setdefault(re.sub("_[A-Z].*", "", name), []).append(totals)
    total = {"sum": sum, "max": max}
    said = [
        form.format(total[kind](each[kind] for each in records[name]))
        for name, (kind, form) in RECORDS.items()
        if name in records
    ]
    n_failed = promise["failures"] + promise["errors"]
    n_passed = promise["tests"] - promise["skipped"] - n_failed
    outcome = f"{n_passed:,} tests passed" + (f", {n_failed} failed" if n_failed else "")
    return ", ".join([*said, outcome])


def reliability():
    promises = load("reliability")["promises"].values()
    rows = [[one["promise"], _figure(one), f"`{one['command']}`"] for one in promises]
    return table(["promise", "tried", "command"], rows)


def coverage():
    found = load("coverage")
    parts = [
        [f"{found[f'{name}_run']:,} of {found[name]:,} {name}", f"{found[f'percent_of_{name}']:.1f} %"]
        for name in ("lines", "branches")
    ]
    return table(["run by the tests", ""], parts)


def not_run():
    rows = []
    for name, rest in load("coverage")["not_run"].items():
        branches = ", ".join(f"{start} to {end}" for start, end in rest["branches"])
        rows.append([f"`{name}`", ", ".join(map(str, rest["lines"])), branches])
    return table(["file", "lines", "branches"], rows)


def mutants():
    found = load("mutants")
    rows = [
        [
            f"`{name}`",
            counts["mutants"],
            counts["tried"],
            counts.get("killed", 0) + counts.get("timeout", 0),
        ]
        for name, counts in found["files"].items()
    ]
    total = found["total"]
    noticed = f"{total['killed'] + total.get('timeout', 0)} ({total['percent_killed']:.1f} %)"
    rows.append(["all", total["mutants"], total["tried"], noticed])
    return table(["file", "mutants", "tried", "noticed"], rows)


def concurrent():
    rows = [[row["workers"], row["n_jobs"], spread(row["ratio"])] for row in load("concurrent")["rows"]]
    return table(["eight searches in", "n_jobs of each", "time, of that one after another"], rows)


def shuffling():
    rows = []
    for name, entry in load("out_of_core_1")["parts"]["curves"].items():
        each = ", ".join(percent(value) for value in entry["accuracy"])
        rows.append([name, percent(entry["mean_accuracy"]), each])
    return table(["shuffled", "accuracy of 5 neighbours (mean)", "of each seed"], rows)


def stores():
    one, two = (load(f"out_of_core_{n}")["parts"]["stores"]["stores"] for n in (1, 2))
    rows = [
        [
            name,
            f"{entry['us_per_row']:.1f} us",
            spread(entry["ratio_to_memory"]),
            f"{two[name]['us_per_row']:.1f} us",
            spread(two[name]["ratio_to_memory"]),
            f"{entry['extra_mb']:.0f} MB",
        ]
        for name, entry in one.items()
    ]
    header = ["rows in", "one CPU, a row", "of memory", "two CPUs, a row", "of memory", "extra memory"]
    return table(header, rows)


def sizes():
    def in_memory(entry):
        found = entry.get("us_per_row_in_memory")
        return f"{found:.1f} us" if found else ""

    found = load("out_of_core_1")["parts"]["sizes"]["sizes"]
    rows = [
        [
            f"{entry['rows']:,}",
            f"{entry['rows'] * 2048 / 1e9:.1f} GB",
            f"{entry['seconds']:.0f} s",
            f"{entry['us_per_row']:.1f} us",
            in_memory(entry),
            f"{entry['resident_mb']:.0f} MB",
        ]
        for entry in found
    ]
    # On paper: the largest size, and what a row more has added to it.
    smaller, largest = found[-2:]
    added = largest["rows"] - smaller["rows"]
    a_row = (largest["resident_mb"] - smaller["resident_mb"]) / added
    seconds = (largest["seconds"] - smaller["seconds"]) / added
    memory = largest["resident_mb"] + a_row * (1e9 - largest["rows"])
    hours = f"{seconds * 1e9 / 3600:.1f} h"
    rows.append(
        [
            "on paper: 1,000,000,000",
            "2,048 GB",
            hours,
            f"{1e6 * seconds:.1f} us",
            "",
            f"{memory / 1000:.0f} GB",
        ]
    )
    return table(
        ["rows", "data", "one epoch", "a row", "in memory, a row", "resident memory, all in all"], rows
    )


def sparse():
    one, two = (load(f"sparse_{n}")["cases"] for n in (1, 2))
    rows = []
    for case, entry in one.items():
        shape = f"{entry['rows']:,} x {entry['features']:,}, {percent(entry['filled'])} not 0"
        against = next(iter(entry["of"]))
        for name, own in entry["of"].items():
            times = []
            for timed in (own, two[case]["of"][name]):
                times += [f"{timed['median_s']:.1f} s", spread(timed[f"ratio_to_{against}"])]
            rows.append([case, shape, name, *times, percent(own["accuracy"])])
    header = ["model", "rows", "trained on", "one CPU", "of the first", "two CPUs", "of the first"]
    return table([*header, "accuracy"], rows)


def local_sgd():
    parts = load("local_sgd")["parts"]
    mnist, steps = parts["mnist"], parts["steps"]
    names = {"fit": "`fit`, 10 epochs", "cluster": "two workers, each row as often"}
    rows = []
    for key, name in names.items():
        each = ", ".join(percent(value) for value in mnist["accuracy"][key])
        rows.append(
            [f"MNIST, accuracy of 5 neighbours: {name}", f"{percent(mnist['means'][key])} ({each})"]
        )
    rows += [
        ["a step of 256 rows of MNIST, one CPU", f"{1000 * steps['seconds_a_step']:.1f} ms"],
        ["a round sends to a worker and back", f"{steps['bytes_a_round'] / 1e6:.1f} MB"],
        ["which takes, at 10 Gbit/s", f"{1000 * steps['seconds_of_communication']:.1f} ms"],
        ["steps of a round from which on this is 10 % of its time", steps["steps_for_10_percent"]],
    ]
    return table(["what", "value"], rows)


def local_sgd_variants():
    found = load("local_sgd")["parts"]["variants"]["variants"]
    rows = []
    for name, entry in found.items():
        each = ", ".join(percent(value) for value in entry["accuracy"])
        rows.append([name, entry["rounds"], f"{percent(fmean(entry['accuracy']))} ({each})"])
    return table(["workers", "rounds", "accuracy of 5 neighbours"], rows)


def versions():
    rows = []
    for cell in load("versions")["cells"]:
        numbers = [cell.get("versions", {}).get(name, "") for name in ("numpy", "scipy", "matplotlib")]
        counts = [f"{cell[name]:,} {name}" for name in ("passed", "failed", "skipped") if cell.get(name)]
        outcome = ", ".join(counts) or cell["error"]
        rows.append([cell["python"], cell["scikit-learn"], *numbers, cell["tests"], outcome])
    return table(["Python", "scikit-learn", "NumPy", "SciPy", "matplotlib", "tests", "outcome"], rows)


def written(match):
    name = match[1]
    return f"<!-- {name} -->\n{globals()[name]()}\n<!-- end -->"


if __name__ == "__main__":
    for path in (HERE / "README.md", HERE.parent / "README.md", *(HERE.parent / "docs").glob("*.md")):
        path.write_text(re.sub(r"<!-- (\w+) -->\n.*?<!-- end -->", written, path.read_text(), flags=re.S))
