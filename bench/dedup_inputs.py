"""Makes the inputs of bench/dedup.ts: pairs of versions of a file, edited with the tools that teams use.

python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pyarrow pandas numpy safetensors scikit-learn
/tmp/venv/bin/python bench/dedup_inputs.py DIRECTORY     (about 2.5 GB)
"""

import io
import os
import pickle
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

ROWS = 1_000_000
rng = np.random.default_rng(1)


def place(directory, case, version):
    path = os.path.join(directory, case)
    os.makedirs(path, exist_ok=True)
    return os.path.join(path, version)


def table(rows, seed):
    """A table as feature stores have it: keys, times, categories, measurements, text."""
    r = np.random.default_rng(seed)
    words = np.array(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"])
    return pd.DataFrame(
        {
            "id": np.arange(rows) + seed * 10_000_000,
            "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(r.integers(0, 10**8, rows)), unit="s"),
            "country": r.choice(["DE", "FR", "US", "JP", "BR"], rows),
            "age": r.integers(18, 90, rows),
            "amount": np.round(r.lognormal(3, 1, rows), 2),
            "score": r.normal(size=rows),
            "embedding": r.normal(size=rows).astype("float32"),
            "note": [" ".join(p) for p in r.choice(words, (rows, 3))],
        }
    )


def csv(directory, data):
    def write(case, version, frame):
        frame.to_csv(place(directory, case, version), index=False)

    extra = table(1000, 2)
    block = pd.concat([data.iloc[: ROWS // 2], extra, data.iloc[ROWS // 2 :]])
    positions = np.concatenate([np.arange(ROWS), np.sort(rng.integers(0, ROWS, 1000)) - 0.5])
    scattered = pd.concat([data, extra]).iloc[np.argsort(positions, kind="stable")]
    for case, changed in [
        ("CSV, 1,000 rows inserted in one place", block),
        ("CSV, 1,000 rows inserted all over", scattered),
        ("CSV, one column added", data.assign(flag=rng.integers(0, 2, ROWS))),
    ]:
        write(case, "old", data)
        write(case, "new", changed)


def parquet(directory, data):
    def write(case, version, frame, **options):
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), place(directory, case, version), **options)

    column = data.assign(flag=rng.integers(0, 1000, ROWS))
    rows = pd.concat([data.iloc[: ROWS // 2], table(1000, 3), data.iloc[ROWS // 2 :]])
    cdc = {"use_content_defined_chunking": True}
    for case, changed, options in [
        ("Parquet, one column added", column, {}),
        ("Parquet, 1,000 rows inserted", rows, {}),
        ("Parquet with content-defined pages, 1,000 rows inserted", rows, cdc),
    ]:
        write(case, "old", data, **options)
        write(case, "new", changed, **options)


def safetensors(directory):
    layers = {f"layers.{i}.{n}": rng.normal(size=s).astype("float32") for i in range(12)
              for n, s in [("attention", (1024, 1024)), ("up", (1024, 1536)), ("norm", (1024,))]}
    one = {k: v + 0.01 if k.startswith("layers.5.") else v for k, v in layers.items()}
    every = {k: (v * np.float32(1.0001)).astype("float32") for k, v in layers.items()}
    head = {**layers, "head": rng.normal(size=(1024, 100)).astype("float32")}
    for case, changed in [
        ("safetensors, one layer of twelve trained", one),
        ("safetensors, a head added", head),
        ("safetensors, all layers trained", every),
    ]:
        save_file(layers, place(directory, case, "old"))
        save_file(changed, place(directory, case, "new"))


def log(directory):
    def lines(start, count):
        out = io.StringIO()
        loss = rng.random(count)
        for i in range(count):
            out.write(f"2024-05-01T12:{i // 60 % 60:02}:{i % 60:02} step={start + i} loss={loss[i]:.6f} lr=0.0003\n")
        return out.getvalue()

    old = lines(0, 1_500_000)
    for version, text in [("old", old), ("new", old + lines(1_500_000, 15_000))]:
        with open(place(directory, "log, one percent appended", version), "w") as file:
            file.write(text)


def model(directory):
    x, y = make_classification(20_000, 30, n_informative=12, random_state=0)
    forest = RandomForestClassifier(200, warm_start=True, random_state=0, n_jobs=2).fit(x, y)
    first = pickle.dumps(forest)
    again = pickle.dumps(pickle.loads(first))
    forest.set_params(n_estimators=210).fit(x, y)
    more = pickle.dumps(forest)
    for case, changed in [("pickle, loaded and dumped again", again), ("pickle, 10 trees added to 200", more)]:
        for version, data in [("old", first), ("new", changed)]:
            with open(place(directory, case, version), "wb") as file:
                file.write(data)


def blob(directory):
    old = rng.bytes(256 * 2**20)
    middle = len(old) // 2
    new = old[:middle] + rng.bytes(len(old) // 100) + old[middle:]
    for version, data in [("old", old), ("new", new)]:
        with open(place(directory, "random bytes, one percent inserted", version), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    target = sys.argv[1]
    rows = table(ROWS, 1)
    csv(target, rows)
    parquet(target, rows)
    safetensors(target)
    log(target)
    model(target)
    blob(target)
