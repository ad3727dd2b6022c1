"""MODEL_CARD.md: what a published model is, for people, with the front matter that hubs read."""

from typing import Any

import yaml

from serving.zoo.index import Entry

KINDS = {"image": "image-classification", "text": "text-classification"}
KINDS |= {"audio": "audio-classification", "vector": "tabular-classification"}


def model_card(entry: Entry, summary: dict[str, Any]) -> str:
    """The card of a model, made from its index entry and the summary of its run."""
    front = yaml.safe_dump(_front_matter(entry), sort_keys=False, allow_unicode=True)
    sections = [
        f"---\n{front}---\n\n# {entry.name}, version {entry.version}\n",
        _introduction(entry),
        _results(entry, summary),
        _limits(entry, summary),
        _origin(entry, summary),
    ]
    return "\n".join(sections)


def _front_matter(entry: Entry) -> dict[str, Any]:
    """The keys of the model cards of Hugging Face's hub."""
    regression = entry.task == "regression"
    kind = "tabular-regression" if regression else KINDS[entry.modality]
    result = {
        "task": {"type": kind, "name": f"{entry.ways}-way {entry.shots}-shot, unseen classes"},
        "dataset": {"type": entry.dataset, "name": entry.dataset, "split": "test"},
        "metrics": [{"type": entry.metric, "value": round(entry.value, 4)}],
    }
    return {
        "license": entry.weights_licence.lower(),
        "library_name": "tensorflow",
        "pipeline_tag": kind,
        "tags": ["few-shot-learning", "meta-learning", entry.learner, "saved-model"],
        "datasets": [entry.dataset],
        "metrics": [entry.metric],
        "model-index": [{"name": entry.name, "results": [result]}],
    }


def _introduction(entry: Entry) -> str:
    shape = " x ".join("any" if size is None else str(size) for size in entry.example)
    if entry.task == "regression":
        learns = "a function from a few examples of it"
    elif entry.task == "retrieval":
        learns = "to answer texts of a new class, such as a language, with one of a list of phrases"
    else:
        learns = "new classes from one to five examples of each, without retraining"
    return (
        f"A few-shot model ({entry.learner}) that learns {learns}. Its examples are of the "
        f"modality {entry.modality}{f', {shape}' if shape else ''}; files are decoded inside the "
        "SavedModel.\n\n"
        f"    fewshot query --model zoo:{entry.name} --support FOLDER_OF_CLASSES QUERIES\n"
    )


def _results(entry: Entry, summary: dict[str, Any]) -> str:
    by_class = entry.ci95_by_class
    rows = [("this model", f"{entry.value:.4f} ± {entry.ci95:.4f}")]
    differences = summary.get("baseline_differences", {})
    for name, value in summary["baselines"].items():
        rows.append((differences.get(name, {}).get("words", name), f"{value:.4f}"))
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return (
        "## Results\n\n"
        f"{entry.ways}-way {entry.shots}-shot, {entry.protocol}, over {entry.episodes} episodes of "
        f"classes that meta-training never saw; 95% intervals over episodes"
        f"{f', ± {by_class:.4f} over classes' if by_class is not None else ''}.\n\n"
        f"| | {entry.metric.replace('_', ' ')} |\n|---|---|\n{table}\n"
    )


def _limits(entry: Entry, summary: dict[str, Any]) -> str:
    known = [f"- {sentence}." for sentence in summary.get("cautions", [])]
    for one in summary.get("baseline_differences", {}).values():
        if not one.get("ahead", True):
            difference = f"{one['difference']:+.4f} ± {one['ci95']:.4f} on the same episodes"
            known.append(f"- It is not ahead of {one['words']}: {difference}.")
    most = f"; at most {entry.max_ways} classes a request" if entry.max_ways else ""
    return "\n".join(
        [
            "## Limits\n",
            f"- Measured on {entry.dataset} alone, it may be worse on other examples{most}.",
            *known,
            "",
        ]
    )


def _origin(entry: Entry, summary: dict[str, Any]) -> str:
    steps = summary["meta_train"]["steps"]
    versions = ", ".join(f"{name} {version}" for name, version in summary["versions"].items())
    commit = f"at commit {entry.commit} " if entry.commit else ""
    before = summary["config"].get("training", {}).get("start_from")
    start = f", from the weights of the model `{before}`," if before else ""
    return (
        "## Origin\n\n"
        f"Meta-trained {commit}for {steps} meta-steps{start} on {entry.dataset} (licence of the "
        f"data: {entry.data_licence}; of these weights: {entry.weights_licence}). `config.yaml` is "
        f"the whole configuration. {versions}.\n"
    )
