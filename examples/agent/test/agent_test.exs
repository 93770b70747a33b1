defmodule AgentTest do
  # The model is the script in offline_storefront.py.
  use ExUnit.Case, async: true

  alias Storefront.{Resolution, Support, ToolCall, ToolReturn}
  alias Storefront.Support.{Finished, PartialOutput}

  @customer %{
    name: "Alice",
    orders: [%{number: "A-17", item: "headphones", sku: "HP-1", days_since_delivery: 12}]
  }

  # The tool that runs here; the test is told what it is asked.
  defp stock(count) do
    test = self()

    %SynapseBridge.Tool{
      name: "stock",
      description: "How many of an item are in the warehouse.",
      parameters: %{
        type: "object",
        properties: %{sku: %{type: "string"}},
        required: ["sku"]
      },
      handler: fn %{"sku" => sku} ->
        send(test, {:asked, sku})
        %{sku: sku, count: count}
      end
    }
  end

  test "the result is typed" do
    assert {:ok, result} = Support.run("They are silent.", deps: @customer)

    assert %Resolution{action: :refund, order: "A-17", reply: "I am sorry" <> _} = result.output
    assert result.usage.requests == 2
    assert result.usage.tool_calls == 2
  end

  test "a tool in Elixir has a say" do
    opts = [deps: @customer, tools: [stock(3)]]
    assert {:ok, %{output: %Resolution{action: :replace}}} = Support.run("They are silent.", opts)
    assert_received {:asked, "HP-1"}

    opts = [deps: @customer, tools: [stock(0)]]
    assert {:ok, %{output: %Resolution{action: :refund}}} = Support.run("They are silent.", opts)
  end

  test "a stream tells of each step, and grows the result" do
    events =
      "They are silent."
      |> Support.run_stream!(deps: @customer, tools: [stock(3)])
      |> Enum.to_list()

    tools = ["list_orders", "return_policy", "stock"]
    assert for(%ToolCall{tool_name: name} <- events, do: name) == tools
    assert for(%ToolReturn{tool_name: name} <- events, do: name) == tools

    replies = for %PartialOutput{output: %{reply: reply}} <- events, do: reply
    assert length(replies) > 3
    assert Enum.sort(replies) == replies
    assert %Finished{result: %{output: %Resolution{reply: reply}}} = List.last(events)
    assert List.last(replies) == reply
  end

  test "a customer that does not fit is told by path, before any model is asked" do
    customer = put_in(@customer, [:orders, Access.at(0), :days_since_delivery], "twelve")

    assert {:error, %SynapseBridge.Error{code: :invalid_argument, violations: [violation]}} =
             Support.run("They are silent.", deps: customer)

    assert violation.path == "deps.orders[0].days_since_delivery"
  end
end
