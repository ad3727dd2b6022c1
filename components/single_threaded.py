"""Single-threaded operations: each runs on one core, and several run at once instead.

Shared by all cores, an operation on a few images spends much of its time waiting for its own
threads. With one episode a core, on two cores, meta-training is 10 to 25% faster, on images of
28 x 28 and of 84 x 84. (`XLA_FLAGS` alone leaves oneDNN's products shared.) Evaluation is as fast
on the small images; on the large ones single calls are slower: adapting to 25 of them takes 1.3
(MAML) to 1.6 times (ProtoNet) as long.

Since its thunk runtime (2.16 has none, 2.21 has it) XLA runs all programs of a process in the pool
of these threads. With a single one, chunks of episodes that run side by side wait for each other:
a meta-step used 1.3 of two cores. So there the pool has a thread for each core, and a product takes
what cores it finds free.

Imports no TensorFlow: the setting counts only before TensorFlow's first operation.
"""

import os
from importlib import metadata

_FLAG = "--xla_cpu_multi_thread_eigen=false"


def use_single_threaded_operations() -> None:
    """Sets it for this process and those it starts; a user's own number of threads is kept."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(pool_threads()))
    flags = os.environ.get("XLA_FLAGS", "")
    if _FLAG not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {_FLAG}".strip()


def pool_threads() -> int:
    """Threads of the pool in which TensorFlow's operations and XLA's programs run."""
    major, minor = metadata.version("tensorflow").split(".")[:2]
    return 1 if (int(major), int(minor)) <= (2, 16) else os.cpu_count() or 1
