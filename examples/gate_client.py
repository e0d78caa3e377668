"""A gate in forty lines that asks whether the person in a picture may pass.

Usage: python gate_client.py PICTURE.jpg [HOST:PORT]     (the server: facerec serve)
"""

import sys
from pathlib import Path

from facerec.client import CallError, GateClient, IdentificationOutcome


def main() -> int:
    """Identify the main face of a picture; exit code 0 opens the gate, 2 calls for help."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        picture = Path(sys.argv[1]).read_bytes()
    except OSError as error:
        print(f"error: {sys.argv[1]}: {error.strerror}", file=sys.stderr)
        return 2
    target = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1:50051"
    with GateClient(target, timeout_s=3.0) as gate:
        try:
            result = gate.identify(picture, main_only=True)
        except CallError as error:  # The question could not be asked: keep shut, call somebody.
            print(f"error {error.status} {error.reason}: {error}", file=sys.stderr)
            return 2
    if not result.faces:
        print("retry: no face in the picture")
        return 1
    face = result.faces[0]
    if face.outcome is IdentificationOutcome.IDENTIFIED:
        print(f"open: {face.display_name} ({face.profile_id})")
        return 0
    # Undecided asks for a better picture ("blurred", "turned_away", ...); unknown is final.
    word = "retry" if face.outcome is IdentificationOutcome.UNDECIDED else "shut"
    print(f"{word}: {', '.join(face.reasons)}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
