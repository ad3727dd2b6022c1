"""People's files, read as people see them: the one reader of pictures, recordings, tables, folders.

Whatever opens a user's file opens it here: the pipeline's sources, `fewshot data inspect`, `init`
and `query`, and the Python client. So the same file means the same everywhere.

Nothing here imports TensorFlow. Pillow, soundfile and SciPy are imported where they are needed: an
install of the client alone has none of them.
"""
