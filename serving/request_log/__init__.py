"""The log of requests that a server answered: TFRecord files of PredictionLog, as read back.

A file's name is `<prefix>-<time>-<server>-<number>.tfrecord`. As long as the server writes to it,
it is a hidden file of `serving.atomic`; that of a server that was killed stays hidden until the
next one starts.
"""
