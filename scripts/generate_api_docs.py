"""Write ``docs/api.md`` from its head and the comments in ``proto/``: ``--check`` only compares."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
TARGET = ROOT / "docs" / "api.md"
HEAD = ROOT / "scripts" / "api_head.md"
"""What comes before that which is made from the comments."""

SERVICE, MESSAGE, ENUM = 6, 4, 5
"""Numbers of a file's fields in paths to comments (google/protobuf/descriptor.proto)."""

Place = tuple[int, ...]
Comments = dict[Place, str]


def files_of_the_api() -> Sequence[descriptor_pb2.FileDescriptorProto]:
    """Return the parsed proto files with their comments, services first."""
    names = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "set"
        includes = [f"--proto_path={PROTO}", f"--proto_path={files('grpc_tools') / '_proto'}"]
        arguments = ["--include_source_info", f"--descriptor_set_out={out}"]
        if protoc.main(["protoc", *includes, *arguments, *names]) != 0:
            sys.exit("protoc failed; see above")
        found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    return sorted(found, key=lambda file: (not file.service, file.name))


def comments_of(file: descriptor_pb2.FileDescriptorProto) -> Comments:
    """Return the comment before each declaration, by the declaration's path."""
    return {
        tuple(entry.path): " ".join(entry.leading_comments.split())
        for entry in file.source_code_info.location
        if entry.leading_comments
    }


def of_file(file: descriptor_pb2.FileDescriptorProto) -> Iterator[str]:
    """Yield the Markdown of one proto file."""
    comments = comments_of(file)
    for i, service in enumerate(file.service):
        yield f"## {service.name}\n\n{comments[SERVICE, i]}"
        for j, method in enumerate(service.method):
            request, response = short(method.input_type), short(method.output_type)
            yield (
                f"### {service.name}.{method.name}\n\n"
                f"Takes {streamed(method.client_streaming)}{linked(request)}, returns "
                f"{streamed(method.server_streaming)}{linked(response)}.\n\n"
                f"{comments[SERVICE, i, 2, j]}"
            )
    for i, message in enumerate(file.message_type):
        yield from of_message(message, comments, (MESSAGE, i), "")
    for i, enum in enumerate(file.enum_type):
        yield of_enum(enum, comments, (ENUM, i), "")


def streamed(streaming: bool) -> str:
    """Return how one says that there are many of a message."""
    return "a stream of " if streaming else ""


def of_message(
    message: descriptor_pb2.DescriptorProto, comments: Comments, path: Place, outer: str
) -> Iterator[str]:
    """Yield the Markdown of a message and of what is declared within it."""
    name = outer + message.name
    rows = [
        f"| {field.name} | {type_of(field)} | {comments[(*path, 2, j)]} |"
        for j, field in enumerate(message.field)
    ]
    table = "\n".join(["| field | type | meaning |", "| --- | --- | --- |", *rows])
    yield f"### {name}\n\n{comments[path]}\n\n{table}"
    for j, enum in enumerate(message.enum_type):
        yield of_enum(enum, comments, (*path, 4, j), f"{name}.")


def of_enum(
    enum: descriptor_pb2.EnumDescriptorProto, comments: Comments, path: Place, outer: str
) -> str:
    """Return the Markdown of an enumeration."""
    rows = [
        f"| {value.name} | {value.number} | {comments[(*path, 2, j)]} |"
        for j, value in enumerate(enum.value)
    ]
    table = "\n".join(["| value | number | meaning |", "| --- | --- | --- |", *rows])
    return f"### {outer}{enum.name}\n\n{comments[path]}\n\n{table}"


def type_of(field: descriptor_pb2.FieldDescriptorProto) -> str:
    """Return the type of a field as people write it."""
    kind = descriptor_pb2.FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    text = linked(short(field.type_name)) if field.type_name else kind
    if field.label == descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {text}"
    return f"optional {text}" if field.proto3_optional else text


def short(type_name: str) -> str:
    """Return a type's name without our package."""
    return type_name.removeprefix(".facerec.v1.").removeprefix(".")


def linked(name: str) -> str:
    """Return a link to a type of ours; the bare name of another."""
    if name.startswith("google."):
        return name
    return f"[{name}](#{name.lower().replace('.', '')})"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check: bool = parser.parse_args().check
    sections = [section for file in files_of_the_api() for section in of_file(file)]
    text = "\n\n".join([HEAD.read_text("utf-8").strip(), *sections]) + "\n"
    if TARGET.exists() and TARGET.read_text("utf-8") == text:
        return
    if check:
        sys.exit("docs/api.md is not what proto/ says; run `make protos`")
    TARGET.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
