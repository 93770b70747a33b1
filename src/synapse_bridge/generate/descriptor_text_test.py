"""What is printed from a descriptor compiles to that descriptor again."""

from __future__ import annotations

import tempfile
from importlib import resources
from pathlib import Path

import protovalidate
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc  # type: ignore[import-untyped] # it has no stubs

from synapse_bridge.generate.descriptor_text import proto_text

RULES = FileDescriptorProto.FromString(protovalidate.ViolationPb.desc().file.proto.to_binary())


def compiled(file: FileDescriptorProto) -> FileDescriptorProto:
    """The descriptor that protoc makes of what was printed."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, file.name)
        source.parent.mkdir(parents=True)
        source.write_text(proto_text(file), "utf-8")
        known = resources.files("grpc_tools") / "_proto"
        out = Path(folder, "set")
        options = [f"-I{folder}", f"-I{known}", f"--descriptor_set_out={out}"]
        assert protoc.main(["protoc", *options, file.name]) == 0
        return FileDescriptorSet.FromString(out.read_bytes()).file[0]


def bare(file: FileDescriptorProto) -> FileDescriptorProto:
    """Without what protoc may write in two ways: the order of fields, and default JSON names."""
    for message in file.message_type:
        message.field.sort(key=lambda field: field.number)
        for field in message.field:
            field.ClearField("json_name")
            if not field.options.ByteSize():
                field.ClearField("options")
    for extension in file.extension:
        extension.ClearField("json_name")
    return file


def test_the_rules_of_protovalidate_are_printed_whole() -> None:
    again, original = (
        bare(compiled(RULES)),
        bare(FileDescriptorProto.FromString(RULES.SerializeToString())),
    )
    assert [m.name for m in again.message_type] == [m.name for m in original.message_type]
    assert again.SerializeToString(deterministic=True) == original.SerializeToString(
        deterministic=True
    )


def test_what_cannot_be_printed_is_refused() -> None:
    with pytest.raises(ValueError, match="only messages of proto2"):
        proto_text(FileDescriptorProto(name="x.proto", syntax="proto3"))
    nested = FileDescriptorProto(name="x.proto")
    nested.message_type.add(name="A").nested_type.add(name="B")
    with pytest.raises(ValueError, match="nested definitions"):
        proto_text(nested)
