"""The results as Markdown tables."""

from typing import Any

from benchmarks import markdown

TRIALS = {
    "styles": "styles never seen, pictures drawn by the project",
    "folder": "styles never seen, {pictures}",
    "new_kinds": "kinds of effect never met: emboss, sharpen, solarise",
}
"""Name of a trial -> what it is."""
WORDS = {
    "mean_target": "mean target",
    "identity": "copy",
    "affine_colour_map": "affine colour map",
    "quadratic_colour_map": "quadratic colour map",
    "cubic_colour_map": "cubic colour map",
}


def table(results: dict[str, Any]) -> str:
    """Formats one row for each trial."""
    titles = ["trial", "MSE", "best baseline's MSE", "share", "SSIM", "its SSIM", "MSE of copying"]
    trials = results.get("trials", {})
    return markdown.table(titles, [_row(name, trials[name]) for name in TRIALS if name in trials])


def _row(name: str, trial: dict[str, Any]) -> list[str]:
    errors, similar, best = (
        trial[key] for key in ("mean_squared_error", "structural_similarity", "best_baseline")
    )
    return [
        TRIALS[name].format(pictures=trial.get("pictures", "")),
        "{:.4f} ± {:.4f}".format(*errors["model"]),
        "{:.4f} ± {:.4f} ({})".format(*errors[best], WORDS[best]),
        f"{errors['model'][0] / errors[best][0]:.2f}",
        "{:.3f}".format(similar["model"][0]),
        f"{similar[best][0]:.3f}",
        "{:.4f}".format(errors["identity"][0]),
    ]


def effect_table(results: dict[str, Any]) -> str:
    """Formats one row for each effect: the styles that have it, with whatever else they have."""
    rows = []
    for name in TRIALS:
        trial = results.get("trials", {}).get(name)
        if trial is None or name == "folder":
            continue
        best = trial["best_baseline"]
        for effect, of_effect in trial["by_effect"].items():
            if name == "new_kinds" and effect not in ("emboss", "sharpen", "solarise"):
                continue
            model, other = of_effect["model"][0], of_effect[best][0]
            cells = [str(of_effect["episodes"]), f"{model:.4f}", f"{other:.4f}"]
            rows.append([effect, *cells, f"{model / other:.2f}"])
    return markdown.table(["styles with", "number", "MSE", "best baseline's MSE", "share"], rows)
