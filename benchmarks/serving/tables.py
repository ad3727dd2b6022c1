"""The results as Markdown tables."""

from statistics import median
from typing import Any

from benchmarks import markdown


def load(document: dict[str, Any]) -> str:
    """Formats the ratios of served to pure calls."""
    ratios = document["result"]["ratios"].items()
    return markdown.table(["", "ratio"], [[name, f"{value:.2f}"] for name, value in ratios])


def soak(document: dict[str, Any]) -> str:
    """Formats the answers and faults of clients while versions are pushed."""
    seconds, result = document["configuration"]["seconds"], document["result"]
    memory = result["server_megabytes"]
    row = [
        f"{seconds:.0f} s",
        f"{result['answers']:,}",
        str(result["versions_pushed"]),
        str(result["faults"]),
        f"{memory[0]} MB",
        f"{max(memory)} MB",
        f"{result['server_megabytes_at_rest']} MB",
    ]
    titles = ["duration", "answers", "versions pushed", "faults", "server's memory, first"]
    titles += ["most, while versions load", "after the last load"]
    return markdown.table(titles, [row])


def fuzz(document: dict[str, Any]) -> str:
    """Formats what the server did with malformed requests."""
    result = document["result"]
    row = [
        f"{result['requests']:,}",
        str(sum(result["not_refused"].values())),
        str(sum(result["refused_without_a_word"].values())),
        f"{result['wrong_answers_to_good_requests']} of {result['good_requests']}",
        f"{result['megabytes_after_a_fifth']} MB, {result['megabytes_at_the_end']} MB",
        "yes" if result["still_running"] else "no",
    ]
    titles = [
        "malformed requests",
        "not refused",
        "refused without a message",
        "wrong answers to right requests between them",
        "memory after a fifth, at the end",
        "still running",
    ]
    return markdown.table(titles, [row])


def hostile(document: dict[str, Any]) -> str:
    """Formats how a good client fares during each attack, and the server's memory."""
    results = {name: row for name, row in document["result"].items() if isinstance(row, dict)}
    quiet = results["none"]["p99_ms"]
    rows = [
        [
            name.replace("_", " "),
            f"{row['answers']:,}",
            f"{row['p50_ms']:.0f} ms",
            f"{row['p99_ms'] / quiet:.1f}",
            str(row["faults"]),
            f"{row['peak_megabytes']} MB",
            f"{row.get('megabytes_after', row['peak_megabytes'])} MB",
        ]
        for name, row in results.items()
    ]
    titles = ["attack", "answers", "p50", "p99 by the quiet p99", "faults", "peak", "afterwards"]
    return markdown.table(titles, rows)


def restart(document: dict[str, Any]) -> str:
    """Formats how long a killed server takes to answer again."""
    result = document["result"]
    row = [
        str(document["configuration"]["kills"]),
        ", ".join(f"{s:.1f}" for s in result["seconds_until_it_answers"]),
        ", ".join(f"{s:.1f}" for s in result["seconds_until_every_client_goes_on"]),
        str(result["answers"]),
        str(result["faults"]),
    ]
    titles = [
        "kills",
        "seconds until it answers",
        "seconds until every client has an answer",
        "answers",
        "faults",
    ]
    return markdown.table(titles, [row])


def rest(document: dict[str, Any]) -> str:
    """Formats the size and the time of REST requests with pictures."""
    rows = [
        [name, f"{figures['bytes'] / 1000:.0f} kB", f"{figures['median_milliseconds']:.0f} ms"]
        for name, figures in document["result"].items()
    ]
    return markdown.table(["support set of five classes", "body", "answer (median)"], rows)


def beside(document: dict[str, Any]) -> str:
    """Formats the figures of two servers that were measured in turns, and their ratios."""
    commit, result = document["configuration"]["other_commit"], document["result"]
    rows = []
    for name, of in result["answers"].items():
        rate = of["this"]["clients"] > 1
        key, unit = ("calls_per_second", "a second") if rate else ("p50_ms", "ms, p50")
        rows.append([f"{name} ({unit})", *_both(of["other"][key], of["this"][key])])
    starts = {name: median(times) for name, times in result["seconds_until_it_answers"].items()}
    rows.append(["start until it answers (s, median)", *_both(starts["other"], starts["this"])])
    return markdown.table(["", commit, document["commit"], "ratio"], rows)


def _both(other: float, this: float) -> list[str]:
    return [f"{other:.2f}", f"{this:.2f}", f"{this / other:.2f}"]


TABLES = {
    "serving_beside": beside,
    "serving_load": load,
    "serving_soak": soak,
    "serving_fuzz": fuzz,
    "serving_hostile": hostile,
    "serving_restart": restart,
    "serving_rest": rest,
}
