"""What importing the packages costs: no scikit-learn, no output, no warning."""

import subprocess
import sys

import pytest

QUESTION = """
import sys
{imports}
print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"sklearn", "dask", "distributed", "matplotlib"}}))
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import vessels, detectors",
        "import vessels, detectors; vessels.read_tracks, detectors.scan",
        "import detectors.testing",
    ],
)
def test_importing_the_library_loads_no_scikit_learn(imports: str) -> None:
    command = [sys.executable, "-W", "error", "-c", QUESTION.format(imports=imports)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stderr == ""
    assert answer.stdout == "[]\n"


def test_the_public_names_are_those_written_down() -> None:
    question = (
        "import vessels, detectors; assert set(vessels.__all__) <= set(dir(vessels)); "
        "assert set(detectors.__all__) <= set(dir(detectors)); "
        "print('read_tracks' in vessels.__all__, 'scan' in detectors.__all__)"
    )
    command = [sys.executable, "-c", question]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.stdout, answer.stderr) == ("True True\n", "")
