"""The command line of an evaluation: find model and classes, evaluate, print, write."""

import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import click

from components.single_threaded import use_single_threaded_operations
from pipeline.intervals import over_units
from serving.errors import UserError


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration of a run, whose model is evaluated.",
)
@click.option(
    "--model",
    "model_path",
    type=click.Path(path_type=Path),
    help="Or the model: zoo:NAME, folder of a run or of versions, or a SavedModel.",
)
@click.option(
    "--data",
    "data_path",
    type=click.Path(path_type=Path),
    help="Other data: a configuration, a folder or a table, as `init` takes them. Default: the "
    "test split of the model's own.",
)
@click.option(
    "--split-by",
    type=click.Choice(["class", "group", "given"]),
    help="Of folders in folders, as for `init`.",
)
@click.option("--ways", type=click.IntRange(1), help="N, classes in an episode.")
@click.option("--shots", type=click.IntRange(1), help="K, support examples of each class.")
@click.option("--queries", type=click.IntRange(1), help="Query examples of each class.")
@click.option("--episodes", type=click.IntRange(2), default=600, show_default=True)
@click.option("--seed", type=click.IntRange(0), help="Default: that of the model's run.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="New folder for report.html and evaluation.json. Default: none is written.",
)
@click.option("--json", "as_json", is_flag=True, help="Print evaluation.json.")
def evaluate(
    config_path: Path | None,
    model_path: Path | None,
    data_path: Path | None,
    split_by: str | None,
    ways: int | None,
    shots: int | None,
    queries: int | None,
    episodes: int,
    seed: int | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Evaluate a trained model on classes that it has never seen, without training.

    What is not given is as in the model's run. Exit status: 0 evaluated, 1 failed, 2 wrong input.
    """
    path = model_path or config_path
    if path is None or (model_path and config_path):
        raise UserError("Give exactly one of `--config` and `--model`.")
    if output and output.exists() and (output.is_file() or any(output.iterdir())):
        raise UserError(f"`--output` must be a new folder: {output} is there.")

    from pipeline.console import console_session, plain_console

    use_single_threaded_operations()
    logs = Path(tempfile.mkdtemp(prefix="fewshot-evaluate-"))  # which a failure leaves behind
    with contextlib.ExitStack() as stack:
        stack.enter_context(console_session("evaluation", logs / "evaluate.log"))
        work = stack.enter_context(tempfile.TemporaryDirectory(prefix="fewshot-episodes-"))
        console = plain_console(stderr=True)
        from pipeline.evaluate.data import Shape, plan_task
        from pipeline.evaluate.evaluation import run_evaluation, write_results
        from pipeline.evaluate.model import find_model
        from pipeline.left_out import print_left_out

        try:
            model = find_model(path)
            shape = Shape(ways, shots, queries)
            choice: Any = {"episodes": episodes, "seed": seed, "split_by": split_by}
            task = plan_task(model, data_path, shape, **choice)
            print_left_out(console, task.checked._replace(small=task.small))
            console.print(f"{model.folder} on {episodes} episodes ...", soft_wrap=True)
            evaluated = run_evaluation(model, task, Path(work))
            if output:
                write_results(evaluated, output)
        except UserError:
            shutil.rmtree(logs)
            raise
    shutil.rmtree(logs)
    if as_json:
        click.echo(json.dumps(evaluated.record, indent=1))
        return
    for line in result_lines(evaluated.record):
        plain_console().print(line, soft_wrap=True)
    if output:
        plain_console().print(f"report: {output / 'report.html'}", soft_wrap=True)


def result_lines(record: dict[str, Any]) -> list[str]:
    """What is printed of `evaluation.json`."""
    metric, baselines = record["metric"], record["baselines"]
    names = "tasks" if metric == "mean_squared_error" else "classes"
    which = "of the run's test split" if record["of_the_run"] else f"of {record['dataset']}"
    return [
        f"{metric.replace('_', ' ')} {record[metric]:.4f} ± {record['ci95']:.4f}"
        f"{over_units(record, metric)} "
        f"({record['ways']}-way {record['shots']}-shot, {record['protocol']}, {record['episodes']} "
        f"episodes of {record['classes']} {names} {which})",
        *(f"  {name}: {value:.4f}" for name, value in baselines.items()),
        *(f"  warning: {caution}" for caution in record["cautions"]),
    ]
