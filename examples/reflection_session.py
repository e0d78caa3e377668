"""What a session with grpcurl shows, through the server's reflection: no generated code is needed.

    python reflection_session.py HOST:PORT list                          services, and their methods
    python reflection_session.py HOST:PORT describe facerec.v1.AuthorizeRequest
    python reflection_session.py HOST:PORT call facerec.v1.AdminService/GetStatistics '{}'

The same with grpcurl:

    grpcurl -plaintext HOST:PORT list
    grpcurl -plaintext HOST:PORT describe facerec.v1.AuthorizeRequest
    grpcurl -plaintext -d '{}' HOST:PORT facerec.v1.AdminService/GetStatistics

A server with certificates takes --ca ca.crt --cert north.crt --key north.key in place of nothing
(grpcurl: -cacert, -cert and -key in place of -plaintext), and its other address --ca and --token.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

TIMEOUT_S = 5


def show_services(names: Iterable[str], pool: DescriptorPool) -> None:
    """Print every service of the server and its methods."""
    for name in sorted(names):
        print(name)
        if name.startswith("facerec."):
            for method in pool.FindServiceByName(name).methods:
                print(f"  {method.name}({asked(method)}) -> {answered(method)}")


def asked(method: MethodDescriptor) -> str:
    """Return what a method takes."""
    return ("stream " if method.client_streaming else "") + str(method.input_type.name)


def answered(method: MethodDescriptor) -> str:
    """Return what a method gives."""
    return ("stream " if method.server_streaming else "") + str(method.output_type.name)


def describe(pool: DescriptorPool, name: str) -> None:
    """Print the fields of a message."""
    for field in pool.FindMessageTypeByName(name).fields:
        many = "repeated " if field.is_repeated else ""
        print(f"  {field.number}  {field.name}  {many}{kind_of(field)}")


def kind_of(field: FieldDescriptor) -> str:
    """Return the type of a field as a proto file names it."""
    named = field.message_type or field.enum_type
    if named is not None:
        return str(named.full_name)
    words = {v: k for k, v in vars(FieldDescriptor).items() if k.startswith("TYPE_")}
    return words[field.type].removeprefix("TYPE_").lower()


def call(channel: grpc.Channel, pool: DescriptorPool, path: str, request_json: str) -> None:
    """Make a call with one request and print what comes back as JSON."""
    service, _, name = path.partition("/")
    method = pool.FindServiceByName(service).methods_by_name[name]
    request = json_format.Parse(request_json, GetMessageClass(method.input_type)())
    make = channel.stream_stream(
        f"/{path}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    for answer in make(iter([request]), timeout=TIMEOUT_S):
        print(json_format.MessageToJson(answer))


def connect(given: argparse.Namespace) -> grpc.Channel:
    """Return a channel as the options say."""
    if given.ca is None:
        return grpc.insecure_channel(given.server)
    key, certificate = (
        None if path is None else path.read_bytes() for path in (given.key, given.cert)
    )
    credentials = grpc.ssl_channel_credentials(given.ca.read_bytes(), key, certificate)
    if given.token is not None:  # sent with every call as "authorization: Bearer TOKEN"
        bearer = grpc.access_token_call_credentials(given.token)
        credentials = grpc.composite_channel_credentials(credentials, bearer)
    return grpc.secure_channel(given.server, credentials)


def options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("command", choices=("list", "describe", "call"))
    parser.add_argument("name", nargs="?", default="", help="of a message, or SERVICE/METHOD")
    parser.add_argument("request", nargs="?", default="{}", metavar="JSON")
    parser.add_argument("--ca", type=Path)
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--token")
    return parser.parse_args()


def main() -> int:
    """Run one command of the session."""
    given = options()
    try:
        with connect(given) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            pool = DescriptorPool(database)
            if given.command == "list":
                show_services(database.get_services(), pool)
            elif given.command == "describe":
                describe(pool, given.name)
            else:
                call(channel, pool, given.name, given.request)
    except KeyError as error:
        print(f"error: the server knows no {error}", file=sys.stderr)
        return 1
    except grpc.RpcError as error:
        print(f"error {error.code().name}: {error.details()}", file=sys.stderr)
        return 1
    except (OSError, json_format.ParseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
