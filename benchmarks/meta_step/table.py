"""The results as a Markdown table."""

from typing import Any

from benchmarks import markdown

COLUMNS = {
    "ours": "ours",
    "tf_map_fn": "`tf.map_fn`",
    "jax_vmap": "JAX, vmap",
    "torch_vmap": "torch.func, vmap",
    "torch_higher": "higher",
    "tf_map_fn_one_core": "`tf.map_fn`, one core each",
    "floor": "products alone",
}
"""Titles in the table, by implementation."""
CASES = {
    "1_step_1_query_32_tasks": "1 inner step, 1 query a class, 32 tasks",
    "5_steps_15_queries_4_tasks": "5 inner steps, 15 queries a class, 4 tasks",
}


def table(results: dict[str, Any]) -> str:
    """Formats tasks a second, ratios, the share of the matmul rate and the compile time.

    One row for each machine and case.
    """
    ratios = ["ours / fastest peer", "ours / one core each"]
    titles = ["", *COLUMNS.values(), *ratios, "of the matmul rate", "compilation", "commit"]
    rows = [
        [f"{processor}: {title}", *_cells(machine["results"][case]), machine["commit"]]
        for processor, machine in results["machines"].items()
        for case, title in CASES.items()
    ]
    return markdown.table(titles, rows)


def _cells(result: dict[str, Any]) -> list[str]:
    measured = result["implementations"]
    ours = measured["ours"]
    cells = [
        f"{measured[name]['tasks_per_second']:.0f}" if name in measured else "" for name in COLUMNS
    ]
    cells += [
        f"{result['ratio_to_fastest_peer']:.2f}" if "ratio_to_fastest_peer" in result else "",
        f"{result['ratio_to_tuned']:.2f}",
        f"{ours['share_of_matmul_rate']:.0%}",
        f"{ours['compile_seconds']:.0f} s",
    ]
    return cells
