"""Sends a compiled pipeline to a cluster through the KFP SDK."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.kubeflow.linter import lint
from pipeline.kubeflow.parameters import parse_parameters
from serving.errors import UserError

CONNECT_SECONDS = 20.0


class Refused(RuntimeError):
    """The cluster does not answer or refuses the pipeline; the message is one sentence."""


def submit(
    host: str,
    package: Path,
    parameters: Sequence[str] = (),
    *,
    experiment: str = "fewshot",
    run_name: str | None = None,
    namespace: str | None = None,
    cron: str | None = None,
    token: str | None = None,
) -> str:
    """Starts a run or registers a recurring one; returns a sentence with its id.

    The arguments are the options of `fewshot submit`. A missing experiment is created.

    Raises:
      UserError: the file, a parameter or the form of the host is wrong.
      Refused: the host does not answer or refuses the pipeline.
    """
    from pipeline.kubeflow_runner import read_package

    if not host.startswith(("http://", "https://")):
        raise UserError(f"`--host` must begin with http:// or https://: got {host!r}.")
    documents = read_package(package)
    declared = documents[0].get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    types = {name: given["parameterType"] for name, given in declared.items()}
    arguments = parse_parameters(parameters, types)
    problems = lint(documents)
    if problems:
        raise UserError(f"Kubeflow would refuse {package}: {'; '.join(problems)}.")
    name = run_name or documents[0]["pipelineInfo"]["name"]

    client = _connect(host, namespace, token)
    try:
        if cron is None:
            run = client.create_run_from_pipeline_package(
                str(package),
                arguments=arguments,
                run_name=name,
                experiment_name=experiment,
                namespace=namespace,
            )
            return f"run {run.run_id} of {name} is submitted to {host}"
        owner = client.create_experiment(experiment, namespace=namespace)
        recurring = client.create_recurring_run(
            owner.experiment_id,
            name,
            cron_expression=cron,
            # Runs must not overlap: each model is blessed against the one before.
            max_concurrency=1,
            no_catchup=True,
            params=arguments,
            pipeline_package_path=str(package),
        )
        return f"recurring run {recurring.recurring_run_id} of {name} ({cron}) is at {host}"
    except Exception as error:
        raise Refused(f"{host} does not take the pipeline: {_reason(error)}.") from None


def _connect(host: str, namespace: str | None, token: str | None) -> Any:
    """Returns a client of the host, or raises Refused."""
    import requests

    # A direct request first: the SDK retries for minutes and then prints a trace of urllib3.
    url = f"{host.rstrip('/')}/apis/v2beta1/healthz"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = requests.get(url, headers=headers, timeout=CONNECT_SECONDS)
    except requests.RequestException as error:
        raise Refused(
            f"`--host` {host} does not answer ({type(error).__name__}); is the address right, and "
            "is the port forwarded?"
        ) from None
    if answer.status_code in (401, 403):
        raise Refused(
            f"`--host` {host} asks who you are (HTTP {answer.status_code}); give `--token`."
        )
    if not answer.ok:
        raise Refused(
            f"`--host` {host} is no Kubeflow Pipelines v2 API (HTTP {answer.status_code} at {url})."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import kfp

        try:
            return kfp.Client(host=host, namespace=namespace or "kubeflow", existing_token=token)
        except Exception as error:
            raise Refused(f"`--host` {host} does not take a client: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    """Returns one line: the API's error message, or else the exception."""
    body = getattr(error, "body", None)
    if body:
        try:
            said = json.loads(body)
            return str(said.get("error_message") or said.get("message") or said.get("error"))
        except (ValueError, AttributeError):
            return str(body).splitlines()[0]
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
