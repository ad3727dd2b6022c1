"""The results as a Markdown table."""

from collections.abc import Callable
from typing import Any

from benchmarks import markdown

ROWS = {
    "ours": "ours",
    "tf_map_fn": "`tf.map_fn`, as it comes",
    "tf_map_fn_one_core": "`tf.map_fn`, each operation on one core",
    "jax_vmap": "JAX, `vmap`, as it comes",
    "jax_scan": "JAX, `lax.scan`, a device for each core",
    "torch_vmap": "`torch.func`, `vmap`, as it comes",
    "torch_per_core": "`torch.func`, a process for each core",
    "torch_higher": "higher",
    "floor": "products alone",
}
"""Titles in the table, by implementation."""
AT_BEST = {"tf_map_fn_one_core", "jax_scan", "torch_per_core"}
CASES = {
    "1_step_1_query_32_tasks": "28 x 28, 1 step, 1 query, 32 tasks",
    "5_steps_15_queries_4_tasks": "28 x 28, 5 steps, 15 queries, 4 tasks",
    "84_pixels_5_steps_15_queries_2_tasks": "84 x 84, 5 steps, 15 queries, 2 tasks",
}


def table(results: dict[str, Any]) -> str:
    """Formats tasks a second of each implementation, and what else there is to say of ours.

    A column for each machine and case.
    """
    columns = [
        (_title(processor, machine, case), machine["results"][case])
        for processor, machine in results["machines"].items()
        for case in CASES
        if case in machine["results"]
    ]
    rows = [
        [title, *(_speed(result, name) for _, result in columns)] for name, title in ROWS.items()
    ]
    rows += [[title, *(cell(result) for _, result in columns)] for title, cell in _MORE.items()]
    return markdown.table(["tasks/s", *(title for title, _ in columns)], rows)


def _title(processor: str, machine: dict[str, Any], case: str) -> str:
    commit = machine["results"][case].get("commit", machine["commit"])
    return f"{processor}, {commit}: {CASES[case]}"


def _speed(result: dict[str, Any], name: str) -> str:
    measured = result["implementations"].get(name)
    return "" if measured is None else f"{measured['tasks_per_second']:.1f}"


def _ratio(result: dict[str, Any]) -> str:
    """The ratio, where every peer was measured at its best too."""
    measured = result["implementations"]
    return f"{result['ratio_to_fastest_peer']:.2f}" if set(measured) >= AT_BEST else ""


def _chunk(result: dict[str, Any]) -> str:
    return str(result["implementations"]["ours"].get("chunk", ""))


def _of_ours(form: str) -> Callable[[dict[str, Any]], str]:
    return lambda result: form.format(**result["implementations"]["ours"])


_MORE: dict[str, Callable[[dict[str, Any]], str]] = {
    "ours / the fastest of the others": _ratio,
    "ours, share of the matmul rate": _of_ours("{share_of_matmul_rate:.0%}"),
    "ours, tasks in a chunk": _chunk,
    "ours, compilation": _of_ours("{compile_seconds:.0f} s"),
    "ours, memory": _of_ours("{peak_mb} MB"),
}
