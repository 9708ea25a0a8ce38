"""docs/faults.md names a test for each fault."""

import re
from pathlib import Path

from tests.server import ROOT

HERE = Path(__file__).parent


def test_the_table_of_faults_names_tests_that_exist() -> None:
    table = (ROOT / "docs" / "faults.md").read_text()
    known = {path.name: path.read_text() for path in HERE.glob("test_*.py")}
    files = set(re.findall(r"`(test_\w+\.py)", table))
    tests = set(re.findall(r"::(test_\w+)`", table))
    written = set(re.findall(r"^def (test_\w+)", "\n".join(known.values()), re.MULTILINE))

    assert files <= set(known)
    assert tests <= written
    assert files == {name for name in known if name != Path(__file__).name}
