"""One of several processes that meta-train together, or the only one.

    python -m components.meta_trainer.worker JOB.json

JOB.json: {"examples": uri, "config": {learner, training, checkpoint_root, model_name},
"model_dir": dir, "run_dir": dir}. TF_CONFIG names the processes (see `distributed`). Exit status: 0
done; 1 to be started again, as after a lost worker; 2 a mistake of the user, which
starting again does not remove.
"""

import json
import os
import sys
import traceback

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from components.single_threaded import use_single_threaded_operations
from serving.errors import UserError


def main(path: str) -> int:
    """Runs a job and returns the exit status."""
    from components.meta_trainer.run_fn import train_and_export

    use_single_threaded_operations()
    with open(path) as file:
        job = json.load(file)
    try:
        train_and_export(
            job["examples"], job["config"], model_dir=job["model_dir"], run_dir=job["run_dir"]
        )
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1])
    sys.stdout.flush()
    sys.stderr.flush()
    # A process whose peer is gone would wait for it at the interpreter's shutdown.
    os._exit(status)
