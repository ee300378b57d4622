"""The client installs alone, and runs without the rest of Lectern."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires

from tests.processes import ROOT

CLIENT = ROOT / "services" / "client"
PROGRAM = """
import sys

class Refuse:
    @staticmethod
    def find_spec(name, path=None, target=None):
        service = name.startswith("services.") and not name.startswith("services.client")
        if service or name.partition(".")[0] in {refused}:
            raise ImportError(f"lectern-client does not bring {{name}}")

sys.meta_path.insert(0, Refuse)
for forbidden in ("flask", "services.gateway", "services.serving_api", "tensorflow"):
    try:
        __import__(forbidden)
    except ImportError:
        continue
    sys.exit(f"{{forbidden}} was imported")
from services.client import Client
print(Client("http://127.0.0.1"))
"""


def normalized(name: str) -> str:
    """Returns the name of a package or a requirement in the form of PEP 503, without a version."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", name, maxsplit=1)[0]).lower()


def with_dependencies(packages: set[str]) -> set[str]:
    """Returns packages with everything that they require."""
    required = {
        normalized(requirement)
        for package in packages
        for requirement in requires(package) or []
        if "extra ==" not in requirement
    }
    return packages if required <= packages else with_dependencies(packages | required)


def test_it_imports_with_its_own_requirements_alone():
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    allowed = with_dependencies({*project["dependencies"]})
    refused = {
        name
        for name, packages in packages_distributions().items()
        if not {normalized(package) for package in packages} & allowed
    }
    program = PROGRAM.format(refused=refused - {"services"})
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Client object" in done.stdout
