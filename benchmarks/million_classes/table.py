"""The result as Markdown tables."""

from typing import Any

from benchmarks import markdown


def table(result: dict[str, Any]) -> str:
    """Formats the costs of listing and planning, and those of writing episodes."""
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
    written = [
        [
            f"{one['classes']:,}",
            f"{one['examples']:,}",
            f"{one['episodes']:,}",
            {"generate": "a file on disk", "join": "the join"}[stage],
            f"{one['seconds']:.0f} s",
            f"{one['examples_per_second']:,.0f}",
            f"{one['memory_megabytes']:,.0f} MB",
        ]
        for stage in ("generate", "join")
        for one in stages.get(stage, {}).values()
    ]
    listing = [
        "classes",
        "examples",
        "list and split",
        "memory of that",
        "planner's files",
        "a worker opens it",
        "memory of that",
        "plans a second",
    ]
    writing = ["classes", "examples", "episodes", "by", "seconds", "examples a second", "memory"]
    return markdown.table(listing, listed) + "\n" + markdown.table(writing, written)
