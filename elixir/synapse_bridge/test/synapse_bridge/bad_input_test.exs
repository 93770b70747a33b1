defmodule SynapseBridge.BadInputTest do
  @moduledoc """
  Whatever a caller gives, or a server answers, is a value, or an error that says where.

  The other half is `bad_input_test.py` of the Python runtime. `docs/errors.md` has both in one table.
  """

  use ExUnit.Case, async: true

  @moduletag :capture_log

  import SynapseBridge.ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, Error, ScriptedServer, Wire}

  defmodule Node do
    @moduledoc false
    use SynapseBridge.Message

    message do
      field :below, 1, {:nullable, {:message, __MODULE__}}, default: nil
    end
  end

  defmodule Model do
    @moduledoc false
    use SynapseBridge.Message

    message do
      field :name, 1, :string, required: true
      field :count, 2, :int64, default: 0, ge: 0
      field :size, 3, :uint64, default: 0
      field :price, 4, :double, default: 0.0
      field :names, 5, {:list, :string}, default: []
      field :tags, 6, {:set, :int64}, default: MapSet.new()
      field :by_color, 7, {:map, {:enum, SynapseBridge.Fixtures.Color}, :int64}, default: %{}
      field :day, 8, {:nullable, :date}, default: nil
      field :at, 9, {:nullable, :datetime}, default: nil
      field :span, 10, {:nullable, :timedelta}, default: nil
      field :id, 11, {:nullable, :uuid}, default: nil
      field :color, 12, {:nullable, {:enum, SynapseBridge.Fixtures.Color}}, default: nil
      field :either, 13, {:nullable, {:union, SynapseBridge.Fixtures.Scalars}}, default: nil
      field :pair, 14, {:nullable, {:tuple, [:int64, :string]}}, default: nil
      field :node, 15, {:nullable, {:message, Node}}, default: nil
      field :value, 16, :any, default: nil
    end
  end

  defmodule Request do
    @moduledoc false
    use SynapseBridge.Message

    message do
      field :model, 1, {:message, Model}, required: true
    end
  end

  defmodule Response do
    @moduledoc false
    use SynapseBridge.Message

    message do
      field :result, 1, {:message, Model}, required: true
    end
  end

  defmodule Client do
    @moduledoc false
    use SynapseBridge.Client, service: "bad.v1.InputService", contract: "0"

    rpc :take, "Take", Request, Response

    def take(model, opts), do: call(:take, %{model: model}, opts)
  end

  setup do
    server = ScriptedServer.listen()
    channel = start_supervised!({Channel, target: server.target})
    %{channel: channel, connection: accept_http2(server)}
  end

  @deep Enum.reduce(1..120, %{}, fn _, inner -> %{below: inner} end)
  @nested Enum.reduce(1..120, [], fn _, inner -> [inner] end)

  # What is wrong, the model, the path in it, and the rule.
  @given [
    {"a constraint", %{count: -1}, "count", "greater_than_equal"},
    {"another type", %{count: "1"}, "count", "int_type"},
    {"a boolean for a number", %{count: true}, "count", "int_type"},
    {"a required key that is missing", %{name: :absent}, "name", "missing"},
    {"nil for what is required and cannot be None", %{name: nil}, "name", "missing"},
    {"an unknown key", %{"nmae" => "n"}, "nmae", "extra_forbidden"},
    {"a model too deep", %{node: @deep}, :any, "too_deep"},
    {"a value too deep", %{value: @nested}, :any, "too_deep"},
    {"text that is no UTF-8", %{name: <<255>>}, "name", "string_unicode"},
    {"an item that is no UTF-8", %{names: ["", <<255>>]}, "names[1]", "string_unicode"},
    {"an item twice", %{tags: [1, 1]}, "tags", "duplicate_item"},
    {"a key twice", %{:by_color => %{:red => 1, "RED" => 2}}, :any, "duplicate_key"},
    {"a number of 64 bits", %{count: 2 ** 63}, "count", "less_than_equal"},
    {"a negative number without a sign", %{size: -1}, "size", "greater_than_equal"},
    {"a day before the year 1", %{day: ~D[0000-12-31]}, "day", "date_range"},
    {"a day that is none", %{day: %{~D[2024-02-29] | day: 30}}, "day", "date_range"},
    {"an instant in no calendar", %{at: %{~U[2024-01-01 00:00:00Z] | year: 10_000}}, "at",
     "datetime_range"},
    {"an instant without a zone", %{at: ~N[2024-01-01 00:00:00]}, "at", "timezone_aware"},
    {"a span of too many years", %{span: 10 ** 18}, "span", "timedelta_range"},
    {"an id that is none", %{id: "1"}, "id", "uuid_parsing"},
    {"a value that the enum does not have", %{color: :pink}, "color", "enum"},
    {"no member of a union", %{either: self()}, "either", "union_no_match"},
    {"a tuple of another size", %{pair: {1}}, "pair[1]", "missing"},
    {"what Python has not", %{value: [self()]}, "value[0]", "any_type"}
  ]

  test "what a caller gives is refused before it is sent", %{channel: channel} do
    for {what, fields, path, rule} <- @given do
      model = if fields[:name] == :absent, do: %{}, else: Map.merge(%{name: "n"}, fields)

      assert {:error, %Error{code: :invalid_argument} = error} =
               Client.take(model, channel: channel)

      assert [violation] = error.violations, what
      assert {what, violation.rule} == {what, rule}
      if path != :any, do: assert({what, violation.path} == {what, "model.#{path}"})
    end
  end

  test "an unknown key is told with the nearest one", %{channel: channel} do
    {:error, error} = Client.take(%{"name" => "n", "cuont" => 1}, channel: channel)
    assert [%{message: message}] = error.violations
    assert message =~ "count"
  end

  # What is wrong, the bytes of the model, the path in it, and the rule.
  @answered [
    {"a required field that is missing", <<16, 1>>, "name", "missing"},
    {"bytes that end in a number", <<10, 0, 16, 0x80>>, "count", "truncated"},
    {"bytes that end in a float", <<10, 0, 33, 0, 0>>, "price", "truncated"},
    {"a length beyond the end", <<10, 0x7F, ?a>>, "name", "truncated"},
    {"a negative length", <<10>> <> :binary.copy(<<0xFF>>, 9) <> <<1>>, "name", "truncated"},
    {"a number of 11 bytes", <<16>> <> :binary.copy(<<0xFF>>, 10) <> <<1>>, "count",
     "varint_too_long"},
    {"another wire type: text as a number", <<8, 1>>, "name", "wire_type"},
    {"another wire type: a number as text", <<10, 0, 18, 1, ?1>>, "count", "wire_type"},
    {"another wire type: 64 bits as 32", <<10, 0, 37, 0::32>>, "price", "wire_type"},
    {"another wire type: a group", <<11, 12>>, "name", "wire_type"},
    {"the field 0", <<0>>, "", "field_number"},
    {"text that is no UTF-8", <<10, 1, 255>>, "name", "string_unicode"},
    {"an item that is no UTF-8", <<10, 0, 42, 0, 42, 1, 0xC3>>, "names[1]", "string_unicode"},
    {"an item twice", <<10, 0, 50, 2, 1, 1>>, "tags", "duplicate_item"},
    {"a day that is none", <<10, 0, 66, 6, 8, 1, 16, 13, 24, 1>>, "day", "date_range"},
    {"nanoseconds", <<10, 0, 74, 2, 16, 1>>, "at", :any},
    {"no member of a union", <<10, 0, 106, 0>>, "either", "union_member"},
    {"an item of a tuple that is missing", <<10, 0, 114, 2, 8, 1>>, "pair[1]", "missing"}
  ]

  test "what a server answers is an error with its path, and the connection goes on",
       %{channel: channel, connection: connection} do
    for {what, bytes, path, rule} <- @answered do
      answer = <<10, byte_size(bytes)>> <> bytes
      assert {:error, %Error{} = error} = call(channel, connection, answer)
      assert [violation] = error.violations, what
      place = if path == "", do: "result", else: "result.#{path}"
      assert {what, violation.path} == {what, place}
      if rule != :any, do: assert({what, violation.rule} == {what, rule})

      assert {:ok, %Model{name: "n"}} = call(channel, connection, <<10, 3, 10, 1, ?n>>)
    end
  end

  test "what a newer server answers besides is skipped",
       %{channel: channel, connection: connection} do
    more = <<0xFA, 0x3F, 3, "new">>
    assert {:ok, %Model{}} = call(channel, connection, <<10, 9, 10, 1, ?n>> <> more <> more)
  end

  # The result of a call that the server answers with these bytes.
  defp call(channel, connection, answer) do
    task = Task.async(fn -> Client.take(%{name: "n"}, channel: channel, timeout: 10_000) end)
    {id, _fields, _request} = read_call(connection)
    write(connection, Wire.response(id, answer))
    Task.await(task)
  end
end
