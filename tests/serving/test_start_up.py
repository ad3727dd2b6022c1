import subprocess
import sys

CODE = """
import sys
from serving.start_up import skip_unused_imports
skip_unused_imports()
import serving.model_server.server
loaded = {name for name, module in sys.modules.items() if module is not None}
assert "tensorflow" in loaded
assert not {"keras", "googleapiclient", "tfx"} & loaded
"""


def test_a_serving_process_imports_neither_keras_nor_tfx():
    subprocess.run([sys.executable, "-c", CODE], check=True)
