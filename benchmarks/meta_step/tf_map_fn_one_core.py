"""`tf_map_fn` with what was learned here: each operation on one core, the episodes side by side."""

import sys

from benchmarks.meta_step import problem, tf_map_fn
from components.one_core import one_core_per_operation

if __name__ == "__main__":
    one_core_per_operation()
    tf_map_fn.main(problem.CASES[sys.argv[1]])
