"""The result as a Markdown table."""

from typing import Any

from benchmarks import markdown


def table(result: dict[str, Any]) -> str:
    """Formats the rates of EpisodeGen and of sampling in memory, in one row."""
    titles = [
        "episodes",
        "reading the source",
        "writing",
        "episodes a second, written",
        "bytes an episode",
        "episodes a second, sampled in memory and not kept",
    ]
    row = [
        f"{result['episodes']:,}",
        f"{result['read_seconds']} s",
        f"{result['write_seconds']} s",
        f"{result['episodes_per_second']:,}",
        f"{result['bytes_per_episode']:,}",
        f"{result['in_memory_episodes_per_second']:,}",
    ]
    return markdown.table(titles, [row])
