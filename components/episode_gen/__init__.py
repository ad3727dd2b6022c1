"""EpisodeGen: class data in, episodes out, the same ones on every Beam runner."""
