"""The result as a Markdown table."""

from typing import Any

from benchmarks import markdown


def table(result: dict[str, Any]) -> str:
    """Formats episodes a second from files and from memory, by augmentation, and the trainer's."""
    trainer = result["meta_training"]
    rows = [("first use: read, unpacked, parsed", result["first_use"])]
    rows += [(f"from memory, {name}", rate) for name, rate in result["augmented"].items()]
    rows += [("taken by the trainer (MAML, conv4-32)", trainer["episodes_per_second"])]
    cells = [[name, f"{rate:,.0f}"] for name, rate in rows]
    cells.append(["share of its time that the trainer waits", f"{trainer['wait_share']:.1%}"])
    return markdown.table(["", "episodes a second"], cells)
