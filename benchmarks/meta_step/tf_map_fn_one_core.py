"""`tf_map_fn` with this project's setting: each operation on one core, episodes side by side."""

import sys

from benchmarks.meta_step import problem, tf_map_fn
from components.single_threaded import use_single_threaded_operations

if __name__ == "__main__":
    use_single_threaded_operations()
    tf_map_fn.main(problem.CASES[sys.argv[1]])
