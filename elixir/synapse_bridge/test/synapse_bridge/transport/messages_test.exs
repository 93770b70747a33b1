defmodule SynapseBridge.Transport.MessagesTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Status
  alias SynapseBridge.Transport.Messages
  alias SynapseBridge.Wire

  defp take_all(parts, max \\ 1000) do
    Enum.reduce(parts, {[], %Messages{max_size: max}}, fn part, {taken, messages} ->
      {more, messages} = Messages.take(messages, part)
      {taken ++ more, messages}
    end)
  end

  @texts ["", "one", String.duplicate("x", 300), "four"]

  test "messages come out whole wherever the bytes were split" do
    bytes = Enum.map_join(@texts, &Wire.message/1)
    assert {@texts, %Messages{parts: []}} = take_all([bytes])

    for at <- 1..(byte_size(bytes) - 1) do
      <<first::binary-size(at), second::binary>> = bytes
      assert {@texts, %Messages{parts: []}} = take_all([first, second])
    end

    assert {@texts, %Messages{parts: []}} = take_all(for(<<byte <- bytes>>, do: <<byte>>))
  end

  test "what is not complete is kept" do
    assert {["one"], %Messages{parts: parts}} = take_all([Wire.message("one") <> <<0, 0>>])
    assert IO.iodata_to_binary(parts) == <<0, 0>>
  end

  test "a short message does not keep the bytes that it came with" do
    packet = :binary.copy(Wire.message("0123456789"), 1000)
    {[first | _], _messages} = Messages.take(%Messages{max_size: 1000}, packet)
    assert :binary.referenced_byte_size(first) == 10
  end

  test "a message over the limit ends the stream as soon as its size is known" do
    over = <<0, 11::32>>

    assert {["0123456789"], %Status{code: 8} = status} =
             take_all([Wire.message("0123456789") <> over], 10)

    assert status.message =~ "has 11 bytes, and 10 are allowed"
    assert status.message =~ "max_response_size"
    # Known with the fifth byte of the prefix, not before.
    assert {[], %Messages{}} = take_all([<<0, 0, 0, 0>>], 10)
  end

  test "what is compressed or no message ends the stream" do
    assert {["a"], %Status{code: 13, message: message}} =
             take_all([Wire.message("a") <> <<1, 1::32, "x">>])

    assert message =~ "compressed"
    assert {[], %Status{code: 13, message: message}} = take_all(["<html>"])
    assert message =~ "the byte 60"
  end
end
