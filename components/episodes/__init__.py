"""Episodes on disk: one `tf.train.Example` an episode, and the record that describes a set."""
