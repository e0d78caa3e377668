"""Asks the server of this machine whether it takes calls: ``python -m`` this module.

Exit code 0 if it does, 1 if not. It trusts the site's own authority, and shows
the certificate of the client ``healthcheck`` where there is one.
"""

import os
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

__all__ = ["main"]

_WITHIN_S = 3.0


def main() -> int:
    """Ask once; the address may be given as the only argument."""
    target = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
    pki = Path(os.environ.get("FACEREC_HOME", "~/.facerec")).expanduser() / "pki"
    try:
        with _channel(target, pki) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            status = stub.Check(health_pb2.HealthCheckRequest(), timeout=_WITHIN_S).status
    except (grpc.RpcError, OSError) as error:
        code = error.code().name if isinstance(error, grpc.Call) else type(error).__name__
        print(f"no answer at {target}: {code}", file=sys.stderr)
        return 1
    word = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
    print(word)
    return 0 if status == health_pb2.HealthCheckResponse.SERVING else 1


def _channel(target: str, pki: Path) -> grpc.Channel:
    """Connect as the healthcheck's own client if it was certified, else without a certificate."""
    if not (pki / "ca.crt").exists():
        return grpc.insecure_channel(target)
    certificate, key = pki / "healthcheck.crt", pki / "healthcheck.key"
    shown = certificate.exists() and key.exists()
    credentials = grpc.ssl_channel_credentials(
        (pki / "ca.crt").read_bytes(),
        key.read_bytes() if shown else None,
        certificate.read_bytes() if shown else None,
    )
    return grpc.secure_channel(target, credentials)


if __name__ == "__main__":
    sys.exit(main())
