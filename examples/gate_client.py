"""A gate that asks whether whoever stands before it may pass, and opens or stays shut.

    python gate_client.py PICTURE.jpg --gate main
    python gate_client.py PICTURE.jpg --gate main --server gates.example:50051 TLS

where TLS is `--ca ca.crt --cert north.crt --key north.key`, for a server with certificates. The
server is `facerec serve`, whose settings know the gate (docs/operations.md, "Gates"). Exit code 0
opens, 1 stays shut, 2 stays shut and calls somebody.
"""

import argparse
import sys
from pathlib import Path

from facerec.client import CallError, GateClient, Tls
from facerec.errors import ServiceError


def main() -> int:
    """Ask about one picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("picture", type=Path)
    parser.add_argument("--gate", required=True, help="its name")
    parser.add_argument("--server", default="127.0.0.1:50051", metavar="HOST:PORT")
    parser.add_argument("--ca", type=Path, help="authority of the server's certificate, PEM")
    parser.add_argument("--cert", type=Path, help="the gate's own certificate, PEM")
    parser.add_argument("--key", type=Path, help="its private key, PEM")
    given = parser.parse_args()
    try:
        picture = given.picture.read_bytes()
        tls = None if given.ca is None else Tls.from_files(given.ca, given.cert, given.key)
        with GateClient(given.server, timeout_s=3.0, tls=tls) as gate:
            answer = gate.authorize(given.gate, picture)
    except CallError as error:  # The question could not be asked; what was asked is not answered.
        print(f"error {error.status} {error.reason}: {error}", file=sys.stderr)
        return 2
    except (OSError, ServiceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if answer.granted:
        print(f"granted: {answer.display_name} ({answer.profile_id})")
        return 0
    # At "retry" a gate sends its next picture; the reasons tell the person what to do.
    print(f"{answer.outcome}: {', '.join(answer.reasons)}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
