"""Every operation of this process on one core, and several operations at once instead.

Shared by all cores, an operation on a few small images spends much of its time waiting for its own
threads: with one episode a core, meta-training on 28 x 28 images is a fifth to a quarter faster,
and their evaluation no slower. (`XLA_FLAGS` alone leaves oneDNN's products shared.) On two cores
the price is paid by single calls on large images: adapting to 25 images of 84 x 84 takes 1.3 (MAML)
to 1.6 times (ProtoNet) as long, which an evaluation of such models may notice.

Imports no TensorFlow: it only counts if it is said before TensorFlow's first operation.
"""

import os

_FLAG = "--xla_cpu_multi_thread_eigen=false"


def one_core_per_operation() -> None:
    """For this process and those it starts; a number of threads that a user has set stays."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    flags = os.environ.get("XLA_FLAGS", "")
    if _FLAG not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_FLAG}".strip()
