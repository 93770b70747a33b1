defmodule SynapseBridge.Transport.ResponseTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Status
  alias SynapseBridge.Transport.Response

  doctest Response

  @head {200, [{"content-type", "application/grpc"}]}
  @ok [{"grpc-status", "0"}]

  test "a message with the status OK" do
    assert Response.result(@head, [<<0, 0, 0>>, <<0, 2>>, "hi"], @ok) == {:ok, "hi", []}
    assert Response.result(@head, [<<0, 0::32>>], @ok) == {:ok, "", []}
  end

  test "trailing metadata comes along, decoded" do
    trailers = [{"x", "v"}, {"grpc-status", "0"}, {"grpc-message", ""}, {"y-bin", "AQ=="}]

    assert Response.result(@head, [<<0, 0::32>>], trailers) ==
             {:ok, "", [{"x", "v"}, {"y-bin", <<1>>}]}
  end

  test "a status in the trailers, whatever the body" do
    trailers = [{"grpc-status", "5"}, {"grpc-message", "no%20such%20order"}, {"x", "v"}]
    expected = %Status{code: 5, message: "no such order", trailers: [{"x", "v"}]}
    assert Response.result(@head, [], trailers) == {:error, expected}
    assert Response.result(@head, [<<0, 0::32>>], trailers) == {:error, expected}
  end

  test "a status among the headers" do
    headers = [{"content-type", "application/grpc"}, {"grpc-status", "16"}, {"x", "v"}]

    assert Response.result({200, headers}, [], nil) ==
             {:error, %Status{code: 16, message: "", trailers: [{"x", "v"}]}}
  end

  test "a status that gRPC does not know is :unknown" do
    for value <- ["17", "-1", "x", "", "5x"] do
      trailers = [{"grpc-status", value}, {"grpc-message", "text"}]
      assert {:error, %Status{code: 2, message: message}} = Response.result(@head, [], trailers)
      assert message =~ inspect(value) and message =~ "text"
    end
  end

  test "the HTTP status counts when there is no grpc-status" do
    for {http_status, name} <- [
          {200, :unknown},
          {400, :internal},
          {401, :unauthenticated},
          {403, :permission_denied},
          {404, :unimplemented},
          {429, :unavailable},
          {500, :unknown},
          {502, :unavailable},
          {503, :unavailable},
          {504, :unavailable}
        ] do
      head = {http_status, [{"content-type", "text/html"}, {"content-length", "13"}]}
      assert {:error, status} = Response.result(head, ["<html>no</html>"], [])
      assert Status.name(status.code) == name
      assert status.message =~ "#{http_status}"
      assert status.message =~ "text/html"
      assert status.message =~ "<html>no"
    end
  end

  test "a content-length is tolerated" do
    head = {200, [{"content-length", "7"}]}
    assert Response.result(head, [<<0, 2::32, "hi">>], @ok) == {:ok, "hi", []}
  end

  for {title, body, text} <- [
        {"no message", "", "no response message"},
        {"half a message", <<0, 5::32, "hi">>, "in the middle"},
        {"half a prefix", <<0, 0>>, "in the middle"},
        {"two messages", <<0, 1::32, "a", 0, 1::32, "b">>, "more than one"},
        {"something else", "<html>", "does not begin with a gRPC message"},
        {"a compressed message", <<1, 2::32, "hi">>, "compressed with gzip"}
      ] do
    @body body
    @text text
    test "#{title} with the status OK is an internal error" do
      head = {200, [{"grpc-encoding", "gzip"}]}
      assert {:error, %Status{code: 13, message: message}} = Response.result(head, [@body], @ok)
      assert message =~ @text
    end
  end

  test "a message that is not compressed is fine whatever encoding is named" do
    assert Response.result({200, [{"grpc-encoding", "gzip"}]}, [<<0, 2::32, "hi">>], @ok) ==
             {:ok, "hi", []}
  end

  test "a small message does not keep the packet it came in" do
    packet = :binary.copy(<<0, 2::32, "hi">>, 10_000)
    assert {:ok, message, []} = Response.result(@head, [binary_part(packet, 0, 7)], @ok)
    assert :binary.referenced_byte_size(message) < 100
  end

  test "a broken message text does not hide the status" do
    assert Response.decode_message("50% of %zz and %4") == "50% of %zz and %4"
    assert Response.decode_message("%FF%FE") == "\uFFFD\uFFFD"
    assert Response.decode_message("%E2%82%AC %e2%82%ac") == "€ €"
  end

  test "a stream that was reset has a status by its code" do
    for {code, name} <- [
          {:no_error, :internal},
          {:refused_stream, :unavailable},
          {:cancel, :cancelled},
          {:enhance_your_calm, :resource_exhausted},
          {:inadequate_security, :permission_denied},
          {0xABC, :internal}
        ] do
      assert Status.name(Response.failure({:reset, code}).code) == name
    end
  end
end
