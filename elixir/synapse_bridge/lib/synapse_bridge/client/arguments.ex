defmodule SynapseBridge.Client.Arguments do
  @moduledoc false
  # From what a user passes to a client function to what is sent: options are told apart into
  # those of the call and those that are parameters of the Python function, which join the
  # arguments in the request.

  alias SynapseBridge.Client.Rpc
  alias SynapseBridge.Violation

  @call_options [:timeout, :metadata, :channel, :wait_for_ready]

  @doc """
  The request and the options of the call, or all violations.

  Of two equal options the first counts, as in `Keyword.get/2`.
  """
  @spec request(Rpc.t(), map(), keyword()) ::
          {:ok, struct(), keyword()} | {:error, [Violation.t(), ...]}
  def request(rpc, arguments, []), do: cast(rpc, arguments, [], [])

  def request(rpc, arguments, options) do
    unless Keyword.keyword?(options) do
      raise ArgumentError, "options must be a keyword list, got: #{inspect(options)}"
    end

    {call_options, parameters} = Keyword.split(options, @call_options)
    {parameters, misused} = parameters(parameters, arguments, rpc.request)
    cast(rpc, Map.merge(parameters, arguments), misused, call_options)
  end

  defp parameters([], _, _), do: {%{}, []}

  defp parameters(parameters, arguments, request) do
    names = Map.new(request.__synapse__(:fields), &{&1.name, &1.python})

    misused =
      for {key, _} <- parameters, rule = misuse(key, arguments, names) do
        Violation.new([names[key] || Atom.to_string(key)], rule)
      end

    {parameters |> Enum.reverse() |> Map.new() |> Map.take(Map.keys(names)), misused}
  end

  defp misuse(key, arguments, _) when is_map_key(arguments, key), do: :multiple_argument_values
  defp misuse(key, _, names) when not is_map_key(names, key), do: :unexpected_keyword_argument
  defp misuse(_, _, _), do: nil

  defp cast(rpc, arguments, misused, call_options) do
    case {rpc.request.new(arguments), misused} do
      {{:ok, request}, []} -> {:ok, request, call_options}
      {{:ok, _}, misused} -> {:error, misused}
      {{:error, violations}, misused} -> {:error, violations ++ misused}
    end
  end
end
