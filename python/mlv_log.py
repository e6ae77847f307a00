"""One line to log parameters and metrics of a training, for `mlv run` to read. No dependency; Python 3.8 and later.

    import mlv_log

    mlv_log.params(depth=8, lr=0.1)
    for step in range(100):
        mlv_log.metric("loss", loss, step=step)
    mlv_log.metrics({"accuracy": 0.93, "auc": 0.97})

Each call appends lines of JSON to `mlv_log.jsonl` in the current directory, or to the file that the variable MLV_LOG
names. Of each name the last line counts:

    mlv run -m mlv_log.jsonl -o model.pkl -- python train.py

The file is begun anew by the first line that a program logs, so that nothing of an earlier run is taken for this one's;
`append=True` in a call of `start` keeps what is there. Copy this file into your project, or put it on PYTHONPATH.
"""
import json
import math
import os
import threading

_lock = threading.Lock()
_state = {"path": None}


def start(path=None, append=False):
    """Chooses the file, and begins it anew unless `append`. Called by the first line that is logged, where nobody did."""
    path = os.path.abspath(path or os.environ.get("MLV_LOG") or "mlv_log.jsonl")
    with _lock:
        _state["path"] = path
        if not append:
            open(path, "w", encoding="utf-8").close()


def metric(name, value, step=None):
    """Logs one figure, at a step where one is given. ValueError for what is no finite number."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"the metric {name!r} is {number}; a metric is a finite number")
    entry = {"metric": _name(name), "value": number}
    if step is not None:
        entry["step"] = int(step)
    _write([entry])


def metrics(values=None, step=None, **more):
    """Logs several figures."""
    for name, value in {**(values or {}), **more}.items():
        metric(name, value, step)


def param(name, value):
    """Logs one parameter: text, a number, a boolean, None, or a list of those."""
    _write([{"param": _name(name), "value": _plain(value)}])


def params(values=None, **more):
    """Logs several parameters; names inside of dictionaries are dotted."""
    _write(
        [
            {"param": name, "value": _plain(value)}
            for name, value in _flat({**(values or {}), **more})
        ]
    )


def _name(name):
    if not isinstance(name, str) or name == "":
        raise ValueError(f"{name!r} is not a name")
    return name


def _flat(values, prefix=""):
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield _name(f"{prefix}{name}"), value


def _plain(value):
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):  # a scalar of NumPy or PyTorch
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)


def _write(entries):
    if not entries:
        return
    if _state["path"] is None:
        start()
    # Whole lines by one call each: processes and threads that log to one file do not mix theirs.
    lines = "".join(json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n" for entry in entries)
    with _lock:
        descriptor = os.open(_state["path"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(descriptor, lines.encode("utf-8"))
        finally:
            os.close(descriptor)
