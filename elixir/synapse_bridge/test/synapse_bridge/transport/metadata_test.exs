defmodule SynapseBridge.Transport.MetadataTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Transport.Metadata

  test "values stay as they are, and -bin values become base64 without padding" do
    assert Metadata.encode([{"x-user", "alice"}, {"trace-bin", <<0, 255, 1, 2>>}, {"empty", ""}]) ==
             {:ok, [{"x-user", "alice"}, {"trace-bin", "AP8BAg"}, {"empty", ""}]}
  end

  for {title, entry, text} <- [
        {"an empty key", {"", "v"}, "is empty"},
        {"upper case in a key", {"X-User", "v"}, "lower-case"},
        {"a space in a key", {"x user", "v"}, "lower-case"},
        {"a pseudo-field", {":path", "/other"}, "lower-case"},
        {"a key of gRPC", {"grpc-timeout", "1S"}, "reserved"},
        {"a key of HTTP", {"content-type", "text/html"}, "reserved"},
        {"another key of HTTP/2", {"te", "gzip"}, "reserved"},
        {"a line break in a value", {"x", "a\r\nb: c"}, "-bin"},
        {"a value beyond ASCII", {"x", "grün"}, "-bin"},
        {"an atom as key", {:x, "v"}, "list of {key, value}"},
        {"a number as value", {"x", 1}, "list of {key, value}"}
      ] do
    @entry entry
    @text text
    test "#{title} is refused" do
      assert {:error, text} = Metadata.encode([{"fine", "v"}, @entry])
      assert text =~ @text
    end
  end

  test "a map is refused" do
    assert {:error, text} = Metadata.encode(%{"x" => "v"})
    assert text =~ "list of {key, value}"
  end

  test "of a response: -bin is decoded with and without padding, and when joined" do
    assert Metadata.decode([{"a-bin", "AP8BAg=="}, {"a-bin", "AP8BAg"}, {"a-bin", "AA==,AQ, Ag"}]) ==
             [{"a-bin", <<0, 255, 1, 2>>}, {"a-bin", <<0, 255, 1, 2>>}] ++
               [{"a-bin", <<0>>}, {"a-bin", <<1>>}, {"a-bin", <<2>>}]
  end

  test "of a response: what is not base64 is left, and gRPC's own fields are taken out" do
    fields = [
      {"grpc-status", "3"},
      {"grpc-message", "no"},
      {"grpc-encoding", "identity"},
      {"content-type", "application/grpc"},
      {"grpc-status-details-bin", "AQ"},
      {"x-bin", "not base64!"},
      {"x", "v"}
    ]

    assert Metadata.decode(fields) ==
             [{"grpc-status-details-bin", <<1>>}, {"x-bin", "not base64!"}, {"x", "v"}]
  end
end
