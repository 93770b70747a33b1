defmodule EchoChecksTest do
  @moduledoc "What does not fit is refused, by whichever side sees it first, in the same words."

  use ExUnit.Case

  alias Echo.{Bounded, Point}
  alias Integration.Server
  alias SynapseBridge.{Error, Transport, Violation}

  setup_all do
    start_supervised!({Echo, Server.channel()})
    :ok
  end

  describe "constraints" do
    test "let through what they allow" do
      # Only Python knows the default of a field of bytes.
      assert Echo.echo_bounded(%{}) == {:ok, Bounded.new!(%{raw: ""})}
      edges = %{ge: 0, le: 10, even: -4, short: "", few: [], raw: <<1, 2, 3, 4>>}
      assert Echo.echo_bounded(edges) == {:ok, Bounded.new!(edges)}
    end

    @beyond %{
      ge: -1,
      gt: 0.0,
      le: 11,
      lt: 10,
      even: 3,
      short: "äöüß",
      long: "äö",
      word: "no word",
      few: [1, -1, 2],
      some: %{},
      raw: "12345"
    }

    test "are checked before anything is sent, each with pydantic's rule" do
      assert {:error, %Error{code: :invalid_argument, violations: violations}} =
               Echo.echo_bounded(@beyond, channel: :nowhere)

      assert Map.new(violations, &{&1.path, &1.rule}) == %{
               "value.ge" => "greater_than_equal",
               "value.gt" => "greater_than",
               "value.le" => "less_than_equal",
               "value.lt" => "less_than",
               "value.even" => "multiple_of",
               "value.short" => "string_too_long",
               "value.long" => "string_too_short",
               "value.word" => "string_pattern_mismatch",
               "value.few" => "too_long",
               "value.some" => "too_short",
               "value.raw" => "bytes_too_long"
             }
    end
  end

  describe "a result that does not fit its annotation" do
    test "is an error that says where, not something else" do
      for text <- ["null", "5", "[]", ~S("\ud800"), ~S("a\udfffz")] do
        assert {:error, %Error{code: :internal} = error} = Echo.trust_str(text)
        assert Exception.message(error) =~ "result"
      end

      assert Echo.trust_str(~S("\ud83d\ude00")) == {:ok, "😀"}
    end

    test "is found inside lists and dataclasses" do
      assert {:ok, [%Point{x: 1.0, y: 0.0, label: nil}]} = Echo.trust_points(~S([{"x": 1.0}]))

      for {point, place} <- [
            {~S({"x": "1"}), "result[1].x"},
            {~S({"x": null}), "result[1].x"},
            {~S({"x": 1, "label": 7}), "result[1].label"}
          ] do
        assert {:error, %Error{code: :internal} = error} =
                 Echo.trust_points(~s([{"x": 1.0}, #{point}]))

        assert Exception.message(error) =~ place
      end
    end
  end

  test "a struct is checked again when it is sent" do
    spoiled = %{Point.new!(%{x: 1.0}) | y: "2"}
    assert {:error, %Error{violations: [violation]}} = Echo.echo_point(spoiled)
    assert %Violation{path: "value.y", rule: "float_type"} = violation
  end

  describe "the server, asked by a client that checks nothing," do
    test "reports constraints in the same words" do
      beyond = struct(Bounded, %{@beyond | few: [1, 2, 3]})
      assert {:error, %Error{} = here} = Echo.echo_bounded(beyond)
      there = ask_unchecked("EchoBounded", %Echo.EchoBoundedRequest{value: beyond})

      assert there.code == :invalid_argument
      assert Enum.sort(there.violations) == Enum.sort(here.violations)
    end

    test "reports constraints of items and entries in the same words" do
      beyond = struct(Bounded, few: [1, -1], some: %{"ok" => 1, "odd key" => 6})
      assert {:error, %Error{} = here} = Echo.echo_bounded(beyond)
      there = ask_unchecked("EchoBounded", %Echo.EchoBoundedRequest{value: beyond})

      assert Enum.sort(there.violations) == Enum.sort(here.violations)

      assert Enum.sort(Enum.map(here.violations, & &1.path)) == [
               "value.few[1]",
               ~s(value.some["odd key"])
             ]
    end

    test "reports what is missing in the same words" do
      assert {:error, %Error{} = here} = Echo.echo_point(%{})
      assert {:error, status} = unary("EchoPoint", <<0x0A, 0>>)
      assert Error.from_status(status).violations == here.violations

      assert {:error, status} = unary("EchoPoint", "")

      assert [%Violation{path: "value", rule: "missing"}] = Error.from_status(status).violations
    end

    test "refuses a number that is no member of an enum, and names the place" do
      levels = %Echo.EchoLevelsRequest{value: [:off, {:unknown, 99}]}
      assert %Error{code: :invalid_argument} = error = ask_unchecked("EchoLevels", levels)
      assert [%Violation{path: "value[1]"}] = error.violations
    end

    test "reads an absent list as empty" do
      # A repeated field cannot be absent: none is the same as empty.
      assert {:ok, bytes, _} = unary("EchoInts", "")
      assert Echo.EchoIntsResponse.decode(bytes) == {:ok, %Echo.EchoIntsResponse{result: []}}
    end

    test "skips fields that it does not know" do
      bytes = [Echo.EchoIntRequest.encode(%Echo.EchoIntRequest{value: 7}), <<0x7A, 3, "new">>]
      assert {:ok, bytes, _} = unary("EchoInt", bytes)
      assert Echo.EchoIntResponse.decode(bytes) == {:ok, %Echo.EchoIntResponse{result: 7}}
    end

    test "survives what is no message" do
      for bytes <- [<<0xFF>>, <<0x0A, 0xFF, 0xFF>>, :binary.copy(<<0x80>>, 1000)] do
        assert {:error, status} = unary("EchoStr", bytes)
        assert Error.from_status(status).code in [:invalid_argument, :internal]
      end

      assert Echo.echo_str("still here") == {:ok, "still here"}
    end

    test "tells that a method does not exist" do
      assert {:error, status} = unary("EchoNothing", "")
      assert Error.from_status(status).code == :unimplemented
    end
  end

  defp ask_unchecked(method, request) do
    assert {:error, status} = unary(method, request.__struct__.encode(request))
    Error.from_status(status)
  end

  defp unary(method, bytes) do
    {transport, channel} = Transport.find(Echo)
    transport.unary(channel, "/echo.v1.EchoService/#{method}", bytes, timeout: 10_000)
  end
end
