defmodule SynapseBridge.Client.Arguments do
  @moduledoc false
  # From what a user passes to a client function to what is sent: options are told apart into
  # those of the call and those that are parameters of the Python function, which join the
  # arguments in the request. A streamed argument is apart: its items are checked one by one, as
  # they are sent.

  alias SynapseBridge.Client.Rpc
  alias SynapseBridge.Violation

  @call_options [:channel | SynapseBridge.Channel.Options.call_names()]

  @type result ::
          {:ok, struct(), streamed :: Enumerable.t() | nil, keyword()}
          | {:error, [Violation.t(), ...]}

  @doc """
  The request, the streamed argument, and the options of the call; or all violations.

  Of two equal options the first counts, as in `Keyword.get/2`.
  """
  @spec request(Rpc.t(), map(), keyword()) :: result()
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

  defp cast(%{streamed: nil} = rpc, arguments, misused, call_options),
    do: check(rpc, arguments, nil, misused, call_options)

  defp cast(%{streamed: name} = rpc, arguments, misused, call_options) do
    {streamed, arguments} = Map.pop(arguments, name)
    check(rpc, arguments, streamed, not_a_stream(rpc, streamed) ++ misused, call_options)
  end

  defp check(rpc, arguments, streamed, wrong, call_options) do
    case {rpc.request.new(arguments), wrong} do
      {{:ok, request}, []} -> {:ok, request, streamed, call_options}
      {{:ok, _}, wrong} -> {:error, wrong}
      {{:error, violations}, wrong} -> {:error, violations ++ wrong}
    end
  end

  defp not_a_stream(rpc, streamed) do
    cond do
      streamed == nil -> [Violation.new([python(rpc)], :missing)]
      Enumerable.impl_for(streamed) == nil -> [Violation.new([python(rpc)], :iterable_type)]
      true -> []
    end
  end

  defp python(%{request: request, streamed: name}),
    do: Enum.find_value(request.__synapse__(:fields), &if(&1.name == name, do: &1.python))
end
