"""Write the Python code of the API, ``facerec/v1/``, from ``proto/``: ``--check`` only compares.

The generated files are committed, so that an installation needs no compiler; a test calls this with
``--check`` and fails when they are stale.
"""

import argparse
import os
import sys
import sysconfig
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = Path("facerec/v1")
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi")


def generate(destination: Path) -> None:
    """Compile every ``.proto`` into ``destination/facerec/v1``."""
    # The mypy plugins are commands beside the interpreter, which need not be on the PATH.
    os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]
    protos = sorted(str(path) for path in (PROTO / PACKAGE).glob("*.proto"))
    # Only services get gRPC code: for mere messages it would be an empty module.
    services = [path for path in protos if path.endswith("_service.proto")]
    compile_protos(protos, f"--python_out={destination}", f"--mypy_out=quiet:{destination}")
    compile_protos(
        services, f"--grpc_python_out={destination}", f"--mypy_grpc_out=quiet:{destination}"
    )


def compile_protos(paths: list[str], *outputs: str) -> None:
    """Run the compiler once."""
    includes = [f"--proto_path={PROTO}", f"--proto_path={files('grpc_tools') / '_proto'}"]
    if protoc.main(["protoc", *includes, *outputs, *paths]) != 0:
        sys.exit("protoc failed; see above")


def contents(root: Path) -> dict[str, bytes]:
    """Return the generated files under a root by name."""
    return {
        path.name: path.read_bytes()
        for pattern in GENERATED
        for path in (root / PACKAGE).glob(pattern)
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh, present = contents(Path(scratch)), contents(ROOT)
    stale = sorted(n for n in fresh.keys() | present.keys() if fresh.get(n) != present.get(n))
    if not stale:
        return
    if check:
        sys.exit(f"{PACKAGE}: not what proto/ says: {', '.join(stale)}; run `make protos`")
    for name in stale:
        target = ROOT / PACKAGE / name
        if name in fresh:
            target.write_bytes(fresh[name])
        else:
            target.unlink()
    print(f"{PACKAGE}: wrote {len(stale)} files")


if __name__ == "__main__":
    main()
