# ./pants run examples/agent:demo
# OPENAI_API_KEY=… ./pants run examples/agent:demo -- "My kettle is broken."

alias Storefront.{Support, ToolCall, ToolReturn}
alias Storefront.Support.{Finished, PartialOutput}

# A tool of the agent that runs here: how much there is of an item.
warehouse = %{"HP-1" => 3, "KT-2" => 0}

stock = %SynapseBridge.Tool{
  name: "stock",
  description: "How many of an item are in the warehouse.",
  parameters: %{
    type: "object",
    properties: %{sku: %{type: "string"}},
    required: ["sku"]
  },
  handler: fn %{"sku" => sku} -> %{sku: sku, count: Map.get(warehouse, sku, 0)} end
}

customer = %{
  name: "Alice",
  orders: [
    %{number: "A-16", item: "kettle", sku: "KT-2", days_since_delivery: 90},
    %{number: "A-17", item: "headphones", sku: "HP-1", days_since_delivery: 12}
  ]
}

prompt =
  case System.argv() do
    [] -> "One side of my headphones is silent. What can you do?"
    words -> Enum.join(words, " ")
  end

IO.puts("#{customer.name}: #{prompt}")

# Each event is shown when it comes. Of the typed result there is ever more, until it is complete.
show = fn
  %ToolCall{tool_name: tool, args: args}, shown ->
    IO.puts("  → #{tool} #{inspect(args)}")
    shown

  %ToolReturn{tool_name: tool, content: {:any, content}}, shown ->
    IO.puts("  ← #{tool} #{inspect(content)}")
    shown

  %PartialOutput{output: %{reply: reply}}, shown ->
    IO.write(String.replace_prefix(reply, shown, ""))
    reply

  %Finished{result: result}, _shown ->
    IO.puts("\nAction: #{result.output.action} #{result.output.order}")
    IO.puts("#{result.usage.requests} requests, #{result.usage.tool_calls} calls of tools")
    result

  _other, shown ->
    shown
end

prompt
|> Support.run_stream!(deps: customer, tools: [stock])
|> Enum.reduce("", show)
