"""The page of `fewshot serve --ui`: plain HTML, CSS and JavaScript modules, and their routes."""
