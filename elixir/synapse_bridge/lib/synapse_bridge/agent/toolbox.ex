defmodule SynapseBridge.Agent.Toolbox do
  @moduledoc false
  # What a run may ask of this node: tools and approvals, and the bounds of both.

  alias SynapseBridge.Tool
  alias SynapseBridge.Tool.Parameters

  @enforce_keys [:tools, :on_approval, :tool_timeout, :max_concurrency]
  defstruct @enforce_keys

  @type t :: %__MODULE__{
          tools: [{Tool.t(), Parameters.t()}],
          on_approval: (struct() -> term()) | nil,
          tool_timeout: timeout(),
          max_concurrency: pos_integer() | :infinity
        }

  @names [:tools, :on_approval, :tool_timeout, :max_concurrency]

  @doc """
  The toolbox that the options of a run make, and the other options. It is `nil` where they ask for
  nothing of this node.

  Raises `ArgumentError` with what is wrong.
  """
  @spec split!(keyword()) :: {t() | nil, keyword()}
  def split!(options) do
    unless Keyword.keyword?(options),
      do: raise(ArgumentError, "options must be a keyword list, got: #{inspect(options)}")

    {own, others} = Keyword.split(options, @names)

    toolbox = %__MODULE__{
      tools: own |> Keyword.get(:tools, []) |> tools!(),
      on_approval: own |> Keyword.get(:on_approval) |> on_approval!(),
      tool_timeout: own |> Keyword.get(:tool_timeout, 60_000) |> bound!(:tool_timeout),
      max_concurrency: own |> Keyword.get(:max_concurrency, :infinity) |> bound!(:max_concurrency)
    }

    if toolbox.tools == [] and toolbox.on_approval == nil,
      do: {nil, others},
      else: {toolbox, others}
  end

  defp tools!(tools) when is_list(tools) do
    tools = for tool <- tools, do: {tool, parameters!(tool)}
    names = for {tool, _} <- tools, do: tool.name

    with [twice | _] <- names -- Enum.uniq(names),
         do: raise(ArgumentError, "option :tools: two tools are called #{inspect(twice)}")

    tools
  end

  defp tools!(other),
    do: raise(ArgumentError, "option :tools: expected a list, got: #{inspect(other)}")

  defp parameters!(%Tool{} = tool), do: Parameters.new!(tool)

  defp parameters!(other),
    do:
      raise(ArgumentError, "option :tools: expected a SynapseBridge.Tool, got: #{inspect(other)}")

  defp on_approval!(fun) when is_nil(fun) or is_function(fun, 1), do: fun

  defp on_approval!(other) do
    raise ArgumentError,
          "option :on_approval: expected a function of one argument, got: #{inspect(other)}"
  end

  defp bound!(:infinity, _name), do: :infinity
  defp bound!(bound, _name) when is_integer(bound) and bound > 0, do: bound

  defp bound!(other, name) do
    raise ArgumentError,
          "option #{inspect(name)}: expected a positive integer or :infinity, got: #{inspect(other)}"
  end

  @doc "The tools as the server is told of them."
  @spec definitions(t()) :: [map()]
  def definitions(%__MODULE__{tools: tools}) do
    for {tool, parameters} <- tools do
      %{
        name: tool.name,
        description: tool.description,
        parameters: parameters.schema,
        sequential: tool.sequential
      }
    end
  end

  @doc "A tool by its name."
  @spec find(t(), String.t()) :: {Tool.t(), Parameters.t()} | nil
  def find(%__MODULE__{tools: tools}, name),
    do: Enum.find(tools, fn {tool, _parameters} -> tool.name == name end)
end
