"""Measures latency and throughput of the server beside the pure call of the same SavedModel.

    python -m benchmarks.serving.load [--model VERSION_FOLDER] [--seconds 6] [--record]

It uses the loopback interface only. The pure call runs the model in this process through the C++
session, without protocol or checks, with the threads that the server chooses. The loads alternate
in short windows, because the speed of a shared machine drifts; only ratios are meaningful.
"""

import argparse
import gc
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reporting import add_record_option
from benchmarks.serving.models import export_maml, random_episode
from benchmarks.serving.running import MODEL_NAME, free_port, report, serving
from benchmarks.serving.transfer import AROUND_CALL, BYTES, transfer_calls
from benchmarks.serving.windows import Load, compare
from serving.client import FewShotClient
from serving.model_server.loading import make_loader
from serving.model_server.servable import Parallelism, Servable
from serving.saved_model import signatures as names
from serving.start_up import give_each_session_its_threads

Figures = Mapping[str, Mapping[str, float]]  # of each load, as `compare` gives them

CLIENTS = (1, 2, 4, 8)
LONG_WINDOW = 4.0  # for runs of eight episodes, of which a window must hold many
STACKED = 8
DEFAULT = "pure, one thread a core,"
HANDLE = "grpc predict by handle, 1"
CACHE = "--adapted_cache_bytes=100000000"
BATCHING = (
    f"max_batch_size {{ value: {STACKED} }} batch_timeout_micros {{ value: 5000 }} "
    "num_batch_threads { value: 1 } max_enqueued_batches { value: 100 }"
)


def pure_call(servable: Servable, signature_name: str, arrays: dict) -> Callable[[], Any]:
    """Makes a call of the session and nothing else."""
    signature = servable.signature_defs[signature_name]
    feeds = {signature.inputs[name].name: array for name, array in arrays.items()}
    fetches = [info.name for info in signature.outputs.values()]
    return lambda: servable.run(feeds, fetches)


def served_call(client: FewShotClient, signature_name: str, arrays: dict) -> Callable[[], Any]:
    """Makes a call that sends a request; adapted weights are checked and encoded once."""
    shared = {k: v for k, v in arrays.items() if k.startswith(names.ADAPTED_PREFIX)}
    send = client._transport.bind(signature_name, shared)
    inputs = {k: v for k, v in arrays.items() if k not in shared}
    return lambda: send(inputs, 60.0)


def run(model: Path, seconds: float, folder: Path) -> dict[str, Any]:
    """Measures without and with batching, and computes the ratios that must hold."""
    base_path, log, batching = folder / "models", folder / "log", folder / "batching.config"
    shutil.copytree(model, base_path / "1")
    batching.write_text(BATCHING)
    adapt_and_predict, predict = names.ADAPT_AND_PREDICT, names.PREDICT
    many = Parallelism(0, 0)
    load = make_loader(parallelism=many, warmup=True, measure_threads=True)
    with (
        FewShotClient.connect(str(model)) as disk,
        closing(load(MODEL_NAME, 1, model)) as servable,
        closing(make_loader(parallelism=many, warmup=True)(MODEL_NAME, 1, model)) as default,
    ):
        episode = random_episode(disk.signatures[adapt_and_predict])
        support = {k: v for k, v in episode.items() if k != names.QUERY_X}
        weights = disk.run(names.ADAPT, support).outputs
        inputs = {
            adapt_and_predict: episode,
            predict: weights | {names.QUERY_X: episode[names.QUERY_X]},
        }
        with_handle = {
            names.ADAPTED_HANDLE: np.array([b"h" * 32], object),  # as long as the server's
            names.QUERY_X: episode[names.QUERY_X],
        }
        stacked = {name: np.repeat(array, STACKED, axis=0) for name, array in episode.items()}
        pure = {f"pure {name}": Load(pure_call(servable, name, inputs[name])) for name in inputs}
        pure |= {
            f"{DEFAULT} {name}": Load(pure_call(default, name, inputs[name])) for name in inputs
        }
        pure_stacked = {
            "pure, 8 stacked": Load(pure_call(servable, adapt_and_predict, stacked)),
        }
        rest_port = free_port()
        # Otherwise garbage collection visits TensorFlow's objects, which a client does not have.
        gc.freeze()
        with (
            transfer_calls(model, inputs, with_handle, log=log) as transfer,
            serving(base_path, f"--rest_api_port={rest_port}", CACHE, log=log) as (address, _),
        ):
            carried = {name: Load(call) for name, call in transfer.items()}
            answered = served(address, inputs, rest_port) | by_handle(address, episode)
            alone = compare(pure | carried | answered, seconds)
        flags = ["--enable_batching", f"--batching_parameters_file={batching}"]
        with serving(base_path, "--rest_api_port=0", *flags, log=log) as (address, _):
            loads = served(address, inputs, None)
            full = {name: loads.pop(name) for name in [f"grpc {adapt_and_predict}, {STACKED}"]}
            joined = compare(pure_stacked | full, 4 * seconds, window=LONG_WINDOW)
            joined |= compare(loads, seconds)
    return {
        "without_batching": alone,
        "with_batching": joined,
        "ratios": ratios(alone, joined),
    }


def ratios(alone: Figures, joined: Figures) -> dict[str, float]:
    """Computes the ratios that must hold, and the part of gRPC alone in them.

    Args:
      alone: the figures of `compare` without batching.
      joined: the figures with batching.
    """
    values = {}
    signatures = (names.ADAPT_AND_PREDICT, names.PREDICT)
    measured = [(name, name, f"grpc {name}, 1", name) for name in signatures]
    measured.append(("predict by handle", names.PREDICT, HANDLE, names.PREDICT_ON_SERVER))
    for title, signature, load, sent in measured:
        loads = f"pure {signature}", load, f"{BYTES}: {sent}", f"{AROUND_CALL}: {sent}"
        pure, served, carried, around = (alone[load]["p50_ms"] for load in loads)
        values |= {
            f"{title}: p50 of 1 client over gRPC / pure call (at most 1.3)": served / pure,
            f"{title}: {AROUND_CALL} / pure call": around / pure,
            f"{title}: (pure call + {BYTES}) / pure call": (pure + carried) / pure,
            f"{title}: {BYTES} / what the server adds to the pure call": carried / (served - pure),
        }
    for name in signatures:
        default = alone[f"{DEFAULT} {name}"]["p50_ms"]
        values[f"{name}: {DEFAULT} / pure call"] = default / alone[f"pure {name}"]["p50_ms"]
    values["episodes per second of 8 clients with batching / 8 stacked, pure (at least 0.8)"] = (
        joined[f"grpc {names.ADAPT_AND_PREDICT}, {STACKED}"]["calls_per_second"]
        / (STACKED * joined["pure, 8 stacked"]["calls_per_second"])
    )
    return {name: round(value, 3) for name, value in values.items()}


def served(address: str, inputs: dict[str, dict], rest_port: int | None) -> dict[str, Load]:
    """Loads of one to eight clients for each signature, by gRPC; one more by REST at a port."""
    client = FewShotClient.connect(address, MODEL_NAME)
    loads = {
        f"grpc {name}, {clients}": Load(served_call(client, name, arrays), clients)
        for name, arrays in inputs.items()
        for clients in CLIENTS
    }
    if rest_port is not None:
        rest = FewShotClient.connect(f"http://localhost:{rest_port}", MODEL_NAME)
        name = names.ADAPT_AND_PREDICT
        loads[f"rest {name}, 1"] = Load(served_call(rest, name, inputs[name]))
    return loads


def by_handle(address: str, episode: dict[str, np.ndarray]) -> dict[str, Load]:
    """A load that predicts with weights that the server keeps."""
    client = FewShotClient.connect(address, MODEL_NAME)
    support = {k: v for k, v in episode.items() if k != names.QUERY_X}
    handle = client.run(names.ADAPT_ON_SERVER, support).outputs[names.ADAPTED_HANDLE]
    send = client._transport.bind(names.PREDICT_ON_SERVER, {names.ADAPTED_HANDLE: handle})
    queries = {names.QUERY_X: episode[names.QUERY_X]}
    return {HANDLE: Load(lambda: send(queries, 60.0))}


def main() -> None:
    """Measures a model, and writes and prints the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a version folder; an untrained MAML if absent")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each figure")
    add_record_option(parser)
    arguments = parser.parse_args()
    give_each_session_its_threads()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = arguments.model or export_maml(folder / "exported")
        result = run(model, arguments.seconds, folder)
    configuration = {
        "model": "given" if arguments.model else "maml conv4-32, 28x28x1, untrained",
        "episode": "5 ways, 1 shot, 25 queries",
        "seconds_each": arguments.seconds,
        "batching_parameters": BATCHING,
    }
    report("serving_load", configuration, result, arguments.results)


if __name__ == "__main__":
    main()
