"""FewShotEvaluator: judges a model on unseen classes and blesses it, or says why not.

`evaluate` asks the model about every test episode (Beam), `metrics` and `baselines` say what the
answers are worth, `blessing` decides, `report` shows it. Only `component` and `executor` know TFX.
"""
