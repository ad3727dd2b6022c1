"""Each case breaks a compiled pipeline in one way that the backend refuses."""

import pytest

from pipeline.kubeflow.linter import lint


def task(documents, name):
    return documents[0]["root"]["dag"]["tasks"][name]


def executor(documents, name):
    return documents[0]["deploymentSpec"]["executors"][f"exec-{name}"]


def old_schema(documents):
    documents[0]["schemaVersion"] = "2.0.0"


def bad_name(documents):
    documents[0]["pipelineInfo"]["name"] = "my_pipeline"


def unknown_field(documents):
    documents[0]["nonsense"] = 1


def no_component(documents):
    task(documents, "trainer")["componentRef"]["name"] = "comp-nobody"


def no_producer(documents):
    source = task(documents, "trainer")["inputs"]["artifacts"]["examples"]
    source["taskOutputArtifact"]["producerTask"] = "episode-gen_task"


def no_such_output(documents):
    source = task(documents, "trainer")["inputs"]["artifacts"]["examples"]
    source["taskOutputArtifact"]["outputArtifactKey"] = "nothing"


def does_not_wait(documents):
    task(documents, "schema-gen")["dependentTasks"] = []


def circle(documents):
    task(documents, "episode-gen")["dependentTasks"] = ["pusher"]


def input_missing(documents):
    del task(documents, "trainer")["inputs"]["artifacts"]["examples"]


def input_undeclared(documents):
    inputs = task(documents, "trainer")["inputs"]["parameters"]
    inputs["surprise"] = {"runtimeValue": {"constant": 1}}


def parameter_undeclared(documents):
    del documents[0]["root"]["inputDefinitions"]["parameters"]["steps"]


def constant_value(documents):
    inputs = task(documents, "trainer")["inputs"]["parameters"]
    inputs["custom_config"]["runtimeValue"] = {"constantValue": {"stringValue": "{}"}}


def resolver(documents):
    documents[0]["deploymentSpec"]["executors"]["exec-trainer"] = {
        "resolver": {"outputArtifactQueries": {}}
    }


def lifecycle(documents):
    executor(documents, "trainer")["container"]["lifecycle"] = {"preCacheCheck": {}}


def no_executor(documents):
    documents[0]["components"]["comp-trainer"]["executorLabel"] = "exec-nobody"


def bad_image(documents):
    executor(documents, "trainer")["container"]["image"] = "Not An Image"


def class_that_does_not_import(documents):
    args = executor(documents, "trainer")["container"]["args"]
    args[args.index("--executor_class_path") + 1] = "__main__.Executor"


def module_that_does_not_import(documents):
    executor(documents, "trainer")["container"]["command"] = ["python", "-m", "pipeline.nothing"]


def artifact_type(documents):
    inputs = documents[0]["components"]["comp-trainer"]["inputDefinitions"]["artifacts"]
    inputs["examples"]["artifactType"] = {"schemaTitle": "nowhere.EpisodeSet"}


def colliding_names(documents):
    components = documents[0]["components"]
    components["CompXpusher"] = components["comp-pusher"]


def task_name(documents):
    tasks = documents[0]["root"]["dag"]["tasks"]
    tasks["Pusher_1"] = tasks.pop("pusher")


def pod_of_nobody(documents):
    pods = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    pods["exec-nobody"] = {}


def pod_field(documents):
    pods = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    pods["exec-trainer"]["nodePicker"] = {}


@pytest.mark.parametrize(
    "broken, said",
    [
        (old_schema, "schema version must be 2.1.0"),
        (bad_name, "Kubernetes refuses the name"),
        (unknown_field, "no PipelineSpec"),
        (no_component, "a component that is not there"),
        (no_producer, "comes from 'episode-gen_task', which is not there"),
        (no_such_output, "the output 'nothing' of 'episode-gen'"),
        (does_not_wait, "which it does not wait for"),
        (circle, "wait for each other"),
        (input_missing, "does not give 'examples'"),
        (input_undeclared, "gives 'surprise'"),
        (parameter_undeclared, "the run-time parameter 'steps'"),
        (constant_value, "constantValue"),
        (resolver, "no resolver"),
        (lifecycle, "lifecycle hook"),
        (no_executor, "an executor that is not there"),
        (bad_image, "no image reference"),
        (class_that_does_not_import, "'__main__.Executor', which does not import"),
        (module_that_does_not_import, "'pipeline.nothing', which does not import"),
        (artifact_type, "an artifact type that does not import"),
        (colliding_names, "shares its folder with 'comp-pusher'"),
        (task_name, "refuses the step name 'Pusher_1'"),
        (pod_of_nobody, "belong to no executor"),
        (pod_field, "unknown field 'nodePicker'"),
    ],
)
def test_the_linter_names_what_the_backend_would_refuse(documents, broken, said):
    assert lint(documents) == []
    broken(documents)
    assert any(said in problem for problem in lint(documents))
