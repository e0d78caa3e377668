"""What a session with grpcurl shows, through the server's reflection: no generated code is needed.

    python reflection_session.py HOST:PORT list                         services, then their methods
    python reflection_session.py HOST:PORT describe facerec.v1.AuthorizeRequest
    python reflection_session.py HOST:PORT call facerec.v1.AdminService/GetStatistics '{}'

The same with grpcurl:

    grpcurl -plaintext HOST:PORT list
    grpcurl -plaintext HOST:PORT describe facerec.v1.AuthorizeRequest
    grpcurl -plaintext -d '{}' HOST:PORT facerec.v1.AdminService/GetStatistics
"""

import sys

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


def show_services(database: ProtoReflectionDescriptorDatabase, pool: DescriptorPool) -> None:
    """Print every service of the server and its methods."""
    for name in sorted(database.get_services()):
        print(name)
        if name.startswith("facerec."):
            for method in pool.FindServiceByName(name).methods:
                print(f"  {method.name}({method.input_type.name}) -> {method.output_type.name}")


def describe(pool: DescriptorPool, name: str) -> None:
    """Print the fields of a message."""
    for field in pool.FindMessageTypeByName(name).fields:
        kind = field.message_type.full_name if field.message_type else field.type
        print(f"  {field.number}  {field.name}  {kind}")


def call(channel: grpc.Channel, pool: DescriptorPool, path: str, request_json: str) -> int:
    """Make a call with one request and print its one answer, both as JSON."""
    service, _, name = path.partition("/")
    method = pool.FindServiceByName(service).methods_by_name[name]
    request = json_format.Parse(request_json, GetMessageClass(method.input_type)())
    make = channel.unary_unary(
        f"/{path}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    try:
        print(json_format.MessageToJson(make(request, timeout=5)))
    except grpc.RpcError as error:
        print(f"error {error.code().name}: {error.details()}", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """Run one command of the session."""
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    target, command, *rest = sys.argv[1:]
    with grpc.insecure_channel(target) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        pool = DescriptorPool(database)
        try:
            if command == "list":
                show_services(database, pool)
            elif command == "describe" and rest:
                describe(pool, rest[0])
            elif command == "call" and len(rest) == 2:
                return call(channel, pool, *rest)
            else:
                print(__doc__, file=sys.stderr)
                return 2
        except KeyError as error:
            print(f"error: the server knows no {error}", file=sys.stderr)
            return 1
        except (grpc.RpcError, json_format.ParseError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
