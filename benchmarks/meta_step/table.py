"""The results as a Markdown table."""

from typing import Any

COLUMNS = {
    "ours": "ours",
    "tf_map_fn": "`tf.map_fn`",
    "jax_vmap": "JAX, vmap",
    "torch_vmap": "torch.func, vmap",
    "torch_higher": "higher",
    "tf_map_fn_one_core": "`tf.map_fn`, one core each",
    "floor": "products alone",
}
"""By implementation: the title in the table."""
CASES = {
    "1_step_1_query_32_tasks": "1 inner step, 1 query a class, 32 tasks",
    "5_steps_15_queries_4_tasks": "5 inner steps, 15 queries a class, 4 tasks",
}
MARKERS = ("<!-- meta-step table -->", "<!-- end of meta-step table -->")
"""The table stands between these lines in the README."""


def markdown(results: dict[str, Any]) -> str:
    """Tasks a second, a row for each machine and case; then ratios, the share, the compile time."""
    ratios = ["ours / fastest peer", "ours / one core each"]
    titles = [*COLUMNS.values(), *ratios, "of the matmul rate", "compile"]
    lines = ["| | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    for processor, machine in results["machines"].items():
        for case, title in CASES.items():
            lines.append(f"| {processor}: {title} | {_cells(machine['results'][case])} |")
    return "\n".join(lines) + "\n"


def _cells(result: dict[str, Any]) -> str:
    measured = result["implementations"]
    ours = measured["ours"]
    cells = [
        f"{measured[name]['tasks_per_second']:.0f}" if name in measured else "" for name in COLUMNS
    ]
    cells += [
        f"{result['ratio_to_fastest_peer']:.2f}",
        f"{result['ratio_to_tuned']:.2f}",
        f"{ours['share_of_matmul_rate']:.0%}",
        f"{ours['compile_seconds']:.0f} s",
    ]
    return " | ".join(cells)
