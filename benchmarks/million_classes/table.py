"""The result as Markdown tables."""

from typing import Any

from benchmarks import markdown


def table(result: dict[str, Any]) -> str:
    """Formats the costs of listing and planning, and those of the join, by number of classes."""
    stages: dict[str, dict[int, Any]] = {}
    for one in result["measured"]:
        stages.setdefault(one["stage"], {})[one["classes"]] = one
    listed = [
        [
            f"{classes:,}",
            f"{one['examples']:,}",
            f"{one['check_seconds']:.1f} s",
            f"{one['memory_megabytes']:,.0f} MB",
            f"{one['planner_megabytes']:,.1f} MB",
            f"{stages['plan'][classes]['open_seconds']:.1f} s",
            f"{stages['plan'][classes]['memory_megabytes']:,.0f} MB",
            f"{stages['plan'][classes]['plans_per_second']:,.0f}",
        ]
        for classes, one in stages["catalogue"].items()
    ]
    joined = [
        [
            f"{classes:,}",
            f"{one['examples']:,}",
            f"{one['seconds']:.0f} s",
            f"{one['examples_per_second']:,.0f}",
            f"{one['memory_megabytes']:,.0f} MB",
        ]
        for classes, one in stages["join"].items()
    ]
    listing = [
        "classes",
        "examples",
        "list and split",
        "memory of that",
        "planner file",
        "a worker opens it",
        "memory of that",
        "plans a second",
    ]
    joining = ["classes", "examples read", "join", "examples a second", "memory"]
    return markdown.table(listing, listed) + "\n" + markdown.table(joining, joined)
