"""Reads every import of the project and holds it against the architecture."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("facerec", "services")
    for path in (ROOT / folder).rglob("*.py")
    if "facerec/v1/" not in path.as_posix()  # generated
)

# Which parts of facerec a part may import, beside itself and errors. A later stage never appears
# before an earlier one, so data can only flow one way. None: the outermost ring, may import all.
MAY_IMPORT: dict[str, set[str] | None] = {
    "errors": set(),
    "settings": set(),
    "huge_pages": set(),
    "inference": {"huge_pages"},
    "models": {"inference"},
    "analysis": {"inference"},
    "gallery": {"huge_pages"},
    "decision": {"gallery", "analysis"},
    "video": {"analysis", "gallery", "decision"},
    "evaluation": {"inference", "models", "analysis", "gallery", "decision", "video"},
    "training": {"inference", "models", "analysis", "decision", "evaluation"},
    "client": {"v1"},
    "assembly": {
        "settings",
        "inference",
        "models",
        "analysis",
        "gallery",
        "decision",
        "video",
    },
    "monitor_assembly": {"assembly", "settings", "analysis", "gallery", "decision", "video"},
    "demo": None,
    "cli": None,
    "identity": None,
    "monitor": None,
}

# Where a heavy runtime, or a capability of one, may be imported: path prefixes.
RUNTIMES: dict[str, tuple[str, ...]] = {
    "tensorflow": ("facerec/models/export", "facerec/inference/tensorflow_session.py"),
    "keras": (
        *("facerec/models/", "facerec/training/"),
        "facerec/inference/tensorflow_session.py",
    ),
    "onnx": ("facerec/models/",),
    "onnxruntime": ("facerec/models/",),
    "tf2onnx": ("facerec/models/",),
    "ai_edge_litert": ("facerec/inference/litert_session.py",),
    "faiss": ("facerec/gallery/index/",),
    "sqlalchemy": ("facerec/gallery/",),
    "psycopg": ("facerec/gallery/storage/postgres_backend.py",),
    "alembic": ("facerec/gallery/storage/migrat",),
    "cryptography": (
        *("facerec/gallery/encryption/vault.py", "facerec/gallery/index/snapshot.py"),
        "facerec/gallery/audit/signing.py",
        "services/identity/facerec_identity/security/",
    ),
    "grpc": ("facerec/client/", "services/"),
    "opentelemetry": ("services/identity/facerec_identity/traces.py",),
    "facerec.v1": ("facerec/client/", "services/"),
    "matplotlib": ("facerec/evaluation/report/plots.py", "facerec/training/curves.py"),
    "sklearn": ("facerec/evaluation/",),
    "scipy": ("facerec/evaluation/",),
    "typer": ("facerec/cli/",),
    "rich": ("facerec/cli/", "facerec/demo/"),
}


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every module named by an import anywhere in the file, functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            yield node.lineno, node.module
            # `from facerec import models` names a module too.
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def part_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] in ("facerec", "services") else parts[0]


def test_there_is_something_to_read() -> None:
    assert len(SOURCES) > 30


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_keep_to_the_architecture(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    relative = path.relative_to(ROOT).as_posix()
    part = part_of(path)
    faults = []
    for line, module in imported_modules(tree):
        for runtime, places in RUNTIMES.items():
            if (module == runtime or module.startswith(runtime + ".")) and not relative.startswith(
                places
            ):
                faults.append(f"{relative}:{line} imports {module}; only {places} may")
        if module.startswith("facerec.") and part != "__init__":
            target = module.split(".")[1]
            allowed = MAY_IMPORT[part]
            if allowed is not None and target not in allowed | {part, "errors", "__version__"}:
                faults.append(f"{relative}:{line}: {part} may not import {target}")
    assert not faults, "\n".join(faults)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[2:] if parts[0] == "services" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types and within functions count: none is needed to understand another."""
    modules = {module_of(path): path for path in SOURCES}
    left = {
        name: {
            module
            for _, module in imported_modules(ast.parse(path.read_text(encoding="utf-8")))
            if module in modules and module != name and modules[module].name != "__init__.py"
        }
        for name, path in modules.items()
    }
    while free := {name for name, imported in left.items() if not imported & left.keys()}:
        left = {name: imported for name, imported in left.items() if name not in free}
    in_circles = {name: sorted(imported & left.keys()) for name, imported in left.items()}
    assert not in_circles


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_video_capture_stays_in_video(path: Path) -> None:
    relative = path.relative_to(ROOT).as_posix()
    if relative.startswith("facerec/video/"):
        return
    names = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert not names & {"VideoCapture", "VideoWriter"}


def test_architecture_modules_of_the_networks_use_keras_alone() -> None:
    """They must train on any Keras backend, so nothing but keras and numpy is imported."""
    for name in ("yunet", "centerface", "sface", "dlib_resnet", "iresnet", "mobilefacenet"):
        path = ROOT / "facerec" / "models" / f"{name}.py"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        roots = {module.split(".")[0] for _, module in imported_modules(tree)}
        assert roots <= {"keras", "facerec", "math", "collections", "typing", "dataclasses"}, roots
