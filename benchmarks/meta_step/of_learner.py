"""The worker of `split`: meta-steps of any learner of this project, in one case."""

import sys

from benchmarks.meta_step import problem
from benchmarks.meta_step.ours import network, serve_learner
from components.meta_trainer import learners
from components.single_threaded import use_single_threaded_operations
from components.tasks.classification import classification


def main(case: problem.Case, name: str) -> None:
    """Answers the driver; all options but the number of steps are the learner's defaults."""
    use_single_threaded_operations()
    options, factory = learners.lookup(name)
    head = {"head": "numbered"}
    learner = factory(
        options(inner_steps=case.inner_steps, **head), network(case), classification()
    )
    serve_learner(case, learner, learner.init(0))


if __name__ == "__main__":
    main(problem.CASES[sys.argv[1]], sys.argv[2])
