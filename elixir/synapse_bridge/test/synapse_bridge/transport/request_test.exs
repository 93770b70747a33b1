defmodule SynapseBridge.Transport.RequestTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Transport.Request
  alias SynapseBridge.Wire

  test "the head has the fields of gRPC over HTTP/2, and their size" do
    {head, head_list_size} = Request.head("http", "localhost:50051")

    # A path of more than 126 bytes has another prefix.
    for path <- [
          "/p.S/M",
          "/p.S/" <> String.duplicate("m", 121),
          "/" <> String.duplicate("p", 400)
        ] do
      {block, size} = Request.path(path)
      assert IO.iodata_length(block) == size

      assert fields = Wire.fields(IO.iodata_to_binary([head | block]))

      assert fields == [
               {":method", "POST"},
               {":scheme", "http"},
               {":authority", "localhost:50051"},
               {":path", path},
               {"te", "trailers"},
               {"content-type", "application/grpc"},
               {"user-agent", "synapse-bridge-elixir/0.1.0"}
             ]

      assert head_list_size + Request.path_list_size(path) ==
               Enum.sum(for {name, value} <- fields, do: byte_size(name <> value) + 32)
    end
  end

  test "the timeout has at most eight digits, rounded up to its unit" do
    for {milliseconds, value} <- [
          {0, "0m"},
          {1, "1m"},
          {99_999_999, "99999999m"},
          {100_000_000, "100000S"},
          {100_000_001, "100001S"},
          {99_999_999_000, "99999999S"},
          {99_999_999_001, "1666667M"},
          {99_999_999 * 60_000 + 1, "1666667H"},
          {99_999_999 * 3_600_000 * 10, "99999999H"}
        ] do
      {block, size} = Request.timeout(milliseconds)
      assert Wire.fields(block) == [{"grpc-timeout", value}]
      assert size == 12 + byte_size(value) + 32
    end
  end

  test "without a deadline there is no timeout" do
    assert Request.timeout(:infinity) == {"", 0}
  end

  test "metadata is literal fields" do
    assert Request.metadata([]) == {"", 0}
    assert {block, 72} = Request.metadata([{"x", "v"}, {"a-bin", "A"}])
    assert Wire.fields(block) == [{"x", "v"}, {"a-bin", "A"}]
  end

  test "a message gets its prefix" do
    assert Request.body(["he", ?l | "lo"]) == {:ok, <<0, 5::32, "hello">>}
    assert Request.body([]) == {:ok, <<0, 0::32>>}
  end
end
