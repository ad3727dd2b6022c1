"""Episodes on disk: one `tf.train.Example` an episode, and the record that describes a set."""

SPLITS = ("train", "eval", "test")  # meta-train, meta-validation, meta-test
