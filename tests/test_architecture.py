"""The house keeps its shape: rooms import only rightwards, modules never in a circle, and none hides an import."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Leftmost first: each may import those after it, never those before.
ROOMS = ["project", "notifications", "templates_app", "preferences", "project.foundation"]
PURE = ["preferences.decisions", "notifications.retries", "notifications.breaker", "notifications.rate_limits"]
LONGEST = 300  # lines


def test_rooms_import_only_rightwards() -> None:
    upward = [
        f"{module} imports {imported}"
        for module, imports in _graph().items()
        for imported in imports
        if ROOMS.index(_room(imported)) < ROOMS.index(_room(module))
    ]

    assert upward == []


def test_no_circle_of_modules() -> None:
    try:
        TopologicalSorter(_graph()).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))


def test_no_import_inside_a_function() -> None:
    hidden = [
        f"{module}:{node.lineno}"
        for module, tree in _trees().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_ready(module, function)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert hidden == []


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_know_no_django(module: str) -> None:
    foreign = [
        f"{part} imports {name}"
        for part in _reachable(module)
        for name in _imported_names(part)
        if name.split(".")[0] in {"celery", "django", "redis", "rest_framework"}
    ]

    assert foreign == []


def test_no_file_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in [*_files(), *ROOT.glob("tests/**/*.py")]
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }

    assert long == {}


def _files() -> Iterator[Path]:
    for room in ("project", "notifications", "templates_app", "preferences"):
        yield from (path for path in sorted((ROOT / room).rglob("*.py")) if "migrations" not in path.parts)


@cache
def _trees() -> dict[str, ast.Module]:
    return {_name(path): ast.parse(path.read_text()) for path in _files()}


@cache
def _graph() -> dict[str, set[str]]:
    """Return which of our modules each of our modules imports when it is loaded."""
    modules = set(_trees())
    return {module: {name for name in _imported_names(module) if name in modules} - {module} for module in modules}


def _reachable(module: str) -> set[str]:
    return {module}.union(*(_reachable(imported) for imported in _graph()[module]))


@cache
def _imported_names(module: str) -> tuple[str, ...]:
    """Return the modules that `module` imports; `from package import module` names the module, not the package."""
    names: list[str] = []
    for node in ast.walk(_trees()[module]):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            found = [name for name in inner if name in _trees()]
            names += found if len(found) == len(inner) else [*found, node.module]
    return tuple(names)


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _room(module: str) -> str:
    return "project.foundation" if module.startswith("project.foundation") else module.split(".")[0]


def _is_ready(module: str, function: ast.AST) -> bool:
    return module.endswith(".apps") and getattr(function, "name", "") == "ready"
