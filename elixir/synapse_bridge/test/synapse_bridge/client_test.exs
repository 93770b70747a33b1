defmodule SynapseBridge.ClientTest do
  use ExUnit.Case, async: true

  @moduletag :capture_log

  alias Shop.Orders
  alias Shop.Orders.{Item, Order, PriceOrderRequest, Quote}
  alias SynapseBridge.{Channel, Error, ScriptedServer, Violation, Wire}

  import ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  setup do
    server = ScriptedServer.listen()
    channel = start_supervised!({Channel, target: server.target})
    %{channel: channel, connection: accept_http2(server)}
  end

  defp bytes(%module{} = message), do: message |> module.encode() |> IO.iodata_to_binary()

  # What the function returns or raises, and the call that the server got, which it answers with
  # `response`.
  defp call(connection, response, function) do
    task =
      Task.async(fn ->
        try do
          function.()
        rescue
          error in Error -> {:raised, error}
        end
      end)

    {id, fields, request} = read_call(connection)
    write(connection, response.(id))
    {Task.await(task), fields, request}
  end

  defp value(message), do: &Wire.response(&1, bytes(message))

  defp status(code, message, trailers) do
    &[
      Wire.response_headers(&1),
      Wire.trailers(&1, code, [{"grpc-message", message} | trailers])
    ]
  end

  defp answer(text), do: value(%MyPythonAgent.ProcessDataResponse{result: text})

  describe "a call" do
    test "sends the request and the contract, and returns the result",
         %{channel: channel, connection: connection} do
      {result, fields, request} =
        call(connection, answer("Hello, Alice!"), fn ->
          MyPythonAgent.process_data(%{name: "Alice", age: 30}, channel: channel)
        end)

      assert result == {:ok, "Hello, Alice!"}
      assert fields[":path"] == "/my_python_agent.v1.MyPythonAgentService/ProcessData"
      assert fields["synapse-contract"] == "9f2c6a5d7e41b083"
      assert request == <<10, 9, 10, 5, "Alice", 16, 30>>
    end

    test "that ends in ! returns the bare value", %{channel: channel, connection: connection} do
      {result, _, _} =
        call(connection, answer("Hello!"), fn ->
          MyPythonAgent.process_data!([name: "Alice", age: 30], channel: channel)
        end)

      assert result == "Hello!"
    end

    test "passes on timeout and metadata", %{channel: channel, connection: connection} do
      for metadata <- [[{"x-user", "alice"}], %{"x-user" => "alice"}] do
        {result, fields, _} =
          call(connection, answer(""), fn ->
            options = [channel: channel, timeout: 5000, metadata: metadata]
            MyPythonAgent.process_data(%{name: "Alice", age: 30}, options)
          end)

        assert result == {:ok, ""}
        assert fields["x-user"] == "alice"
        assert fields["synapse-contract"] == "9f2c6a5d7e41b083"
        assert {left, "m"} = Integer.parse(fields["grpc-timeout"])
        assert left in 1..5000
      end
    end

    test "takes optional parameters as options", %{channel: channel, connection: connection} do
      order = %Order{id: "o", items: [%Item{sku: "AB-1", unit_price: 1.0}], bill_to: nil}
      quote = %Quote{total: 1.0, currency: :usd, lines: [1.0], approver: nil}
      response = value(%Orders.PriceOrderResponse{result: quote})

      {result, _, request} =
        call(connection, response, fn ->
          options = [discount: 0.5, currency: "USD", channel: channel, discount: 0.9]
          Orders.price_order(order, options)
        end)

      assert result == {:ok, quote}

      assert PriceOrderRequest.decode(request) ==
               {:ok,
                %PriceOrderRequest{order: order, discount: 0.5, currency: :usd, approver: nil}}

      {_, _, request} =
        call(connection, response, fn -> Orders.price_order(order, channel: channel) end)

      assert {:ok, %{discount: +0.0, currency: :eur}} = PriceOrderRequest.decode(request)
    end

    test "of a function that returns None is :ok", %{channel: channel, connection: connection} do
      empty = value(%Orders.CancelOrderResponse{})
      options = [reason: "late", channel: channel]

      {result, _, request} =
        call(connection, empty, fn -> Orders.cancel_order("o-1", options) end)

      assert {result, request} == {:ok, <<10, 3, "o-1", 18, 4, "late">>}

      {result, _, _} = call(connection, empty, fn -> Orders.cancel_order!("o-1", options) end)
      assert result == :ok
    end

    test "of a function without parameters", %{channel: channel, connection: connection} do
      response = value(%Orders.StockResponse{result: %{"AB-1" => 3}})
      {result, _, request} = call(connection, response, fn -> Orders.stock(channel: channel) end)
      assert {result, request} == {{:ok, %{"AB-1" => 3}}, ""}
    end

    test "uses the channel of the client's name", %{connection: _} do
      server = ScriptedServer.listen()
      start_supervised!({MyPythonAgent, target: server.target})
      connection = accept_http2(server)

      {result, _, _} =
        call(connection, answer("Hi"), fn -> MyPythonAgent.process_data(name: "A", age: 1) end)

      assert result == {:ok, "Hi"}
    end
  end

  describe "what does not fit" do
    # Nothing listens under this name: a call that was sent would be unavailable.
    @nowhere [channel: __MODULE__.Nowhere]

    test "is refused with every violation, and nothing is sent" do
      assert {:error, %Error{code: :invalid_argument, reason: nil} = error} =
               MyPythonAgent.process_data(%{name: 1, age: "thirty"}, @nowhere)

      assert error.violations == [
               %Violation{
                 path: "data.name",
                 rule: "string_type",
                 message: "Input should be a valid string"
               },
               %Violation{
                 path: "data.age",
                 rule: "int_type",
                 message: "Input should be a valid integer"
               }
             ]

      assert error.message == "the values do not fit their types; nothing was sent"

      assert Exception.message(error) ==
               "invalid_argument: data.name: Input should be a valid string (string_type); " <>
                 "data.age: Input should be a valid integer (int_type)"

      raised = fn -> MyPythonAgent.process_data!(%{name: 1, age: "thirty"}, @nowhere) end
      assert assert_raise(Error, raised) == error
    end

    test "is an unknown or repeated argument too" do
      assert {:error, %Error{violations: violations}} =
               Orders.cancel_order("o", [reason: 1, reasn: "x", id: "y"] ++ @nowhere)

      assert Enum.map(violations, &{&1.path, &1.rule, &1.message}) == [
               {"reason", "string_type", "Input should be a valid string"},
               {"reasn", "unexpected_keyword_argument", "Unexpected keyword argument"},
               {"id", "multiple_argument_values", "Got multiple values for argument"}
             ]

      assert {:error, %Error{violations: [%{path: "tiemout"}]}} =
               Orders.stock([tiemout: 5] ++ @nowhere)
    end

    test "is a required keyword that is not given" do
      assert {:error, %Error{violations: [%{path: "reason", rule: "missing"}]}} =
               Orders.cancel_order("o", @nowhere)
    end

    test "raises where the options are no keyword list" do
      assert_raise ArgumentError, ~r/options must be a keyword list, got: %{timeout: 5}/, fn ->
        Orders.stock(%{timeout: 5})
      end
    end

    test "is not confused with a call that found no channel" do
      assert {:error, %Error{code: :unavailable, violations: []}} =
               MyPythonAgent.process_data(%{name: "A", age: 1}, @nowhere)
    end
  end

  describe "a call that fails" do
    test "has the status, its message and the trailers",
         %{channel: channel, connection: connection} do
      failure = status("5", "no such order", [{"x-shard", "7"}, {"x-tag", "a"}, {"x-tag", "b"}])
      {result, _, _} = call(connection, failure, fn -> Orders.stock(channel: channel) end)

      assert {:error, error} = result
      assert {error.code, error.message} == {:not_found, "no such order"}
      assert error.metadata == %{"x-shard" => "7", "x-tag" => "a, b"}
      assert Exception.message(error) == "not_found: no such order"

      {raised, _, _} = call(connection, failure, fn -> Orders.stock!(channel: channel) end)
      assert raised == {:raised, error}
    end

    test "has the violations that the server found", %{channel: channel, connection: connection} do
      alias SynapseBridge.Rpc.BadRequest

      violation = %BadRequest.FieldViolation{
        field: "order.items[0].sku",
        description: "Value error, sold out",
        reason: "VALUE_ERROR"
      }

      details = details("google.rpc.BadRequest", %BadRequest{field_violations: [violation]})
      failure = status("3", "invalid", [{"grpc-status-details-bin", Base.encode64(details)}])
      {result, _, _} = call(connection, failure, fn -> Orders.stock(channel: channel) end)

      assert {:error,
              %Error{code: :invalid_argument, violations: [violation], metadata: metadata}} =
               result

      assert metadata == %{}

      assert violation == %Violation{
               path: "order.items[0].sku",
               rule: "value_error",
               message: "Value error, sold out"
             }
    end

    test "says that the client is stale where the server has another contract",
         %{channel: channel, connection: connection} do
      for {contract, stale?} <- [{"41c8e0f35ad2b796", false}, {"0000", true}] do
        info = %SynapseBridge.Rpc.ErrorInfo{metadata: %{"contract" => contract}}
        details = Base.encode64(details("google.rpc.ErrorInfo", info))
        failure = status("3", "odd", [{"grpc-status-details-bin", details}])
        {result, _, _} = call(connection, failure, fn -> Orders.stock(channel: channel) end)
        assert {:error, error} = result
        assert Exception.message(error) =~ ~r/^invalid_argument: odd/
        assert Exception.message(error) =~ "generate it again" == stale?
      end
    end

    test "is internal where the response does not fit, and says where",
         %{channel: channel, connection: connection} do
      garbage = &Wire.response(&1, <<10, 3, 8, 1, 8>>)
      {result, _, _} = call(connection, garbage, fn -> Orders.stock(channel: channel) end)
      assert {:error, %Error{code: :internal, violations: [%{path: "result"}]} = error} = result
      assert error.message == "the response does not fit its type"
      assert error.hint =~ "generate it again"

      absent = &Wire.response(&1, "")
      data = %{name: "A", age: 1}

      {result, _, _} =
        call(connection, absent, fn -> MyPythonAgent.process_data(data, channel: channel) end)

      assert {:error, error} = result

      assert Exception.message(error) ==
               "internal: result: Field required (missing) (the client was generated from " <>
                 "another version of the service: generate it again)"
    end
  end

  defp details(type, message) do
    any = %SynapseBridge.Rpc.Any{type_url: "type.googleapis.com/#{type}", value: bytes(message)}
    bytes(%SynapseBridge.Rpc.Status{code: 3, message: "invalid", details: [any]})
  end

  test "reflection" do
    assert Orders.__synapse__(:kind) == :client
    assert Orders.__synapse__(:service) == "shop.orders.v1.OrdersService"
    assert Orders.__synapse__(:contract) == "41c8e0f35ad2b796"

    assert [:price_order, :cancel_order, :stock] =
             for(rpc <- Orders.__synapse__(:rpcs), do: rpc.function)

    assert %{start: {Channel, :start_link, [options]}} = Orders.child_spec(target: "localhost:1")
    assert Enum.sort(options) == [name: Orders, target: "localhost:1"]
    assert %{id: Other} = Orders.child_spec(target: "localhost:1", name: Other)
  end
end
