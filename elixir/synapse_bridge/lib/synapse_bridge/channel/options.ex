defmodule SynapseBridge.Channel.Options do
  @moduledoc false

  # One table checks the options of a channel and writes their documentation.

  alias SynapseBridge.Transport.Target

  @options [
    target: [
      type: :target,
      required: true,
      doc:
        "where the server is: `\"host:port\"`, `\"unix:/path\"`, or what else " <>
          "`SynapseBridge.Transport.Target` reads."
    ],
    name: [
      type: :name,
      default: nil,
      doc: "an atom that the channel is registered and called under; without one, by its pid."
    ],
    tls: [
      type: :tls,
      default: false,
      doc:
        "`true`, or options of `:ssl` such as `cacertfile`, `certfile` and `keyfile`. " <>
          "The server is verified against the system's authorities unless they say otherwise."
    ],
    authority: [
      type: :text,
      default: nil,
      doc:
        "the host name that the server is addressed by and its certificate is made out to, " <>
          "where that is not the target's."
    ],
    timeout: [
      type: :timeout,
      default: 60_000,
      doc: "how long a call may take that does not say so itself: milliseconds or `:infinity`."
    ],
    wait_for_ready: [
      type: :boolean,
      default: false,
      doc: "whether calls wait while the server is out of reach, until their deadline."
    ],
    connect_timeout: [
      type: :positive,
      default: 20_000,
      doc: "how long one attempt to connect may take, in milliseconds."
    ],
    backoff: [
      type: :backoff,
      default: [],
      doc:
        "the pauses between attempts: `initial: 1000` and `max: 120_000` in milliseconds, " <>
          "`multiplier: 1.6`, `jitter: 0.2`."
    ],
    max_response_size: [
      type: :positive,
      default: 64 * 1024 * 1024,
      doc: "the largest response message, in bytes. A larger one is `:resource_exhausted`."
    ],
    max_metadata_size: [
      type: :positive,
      default: 64 * 1024,
      doc: "the largest metadata of a response, in bytes, 32 more per field."
    ],
    max_queue: [
      type: :positive,
      default: 10_000,
      doc:
        "how many calls may wait for the server to take more at once, or to be reached. " <>
          "More are `:resource_exhausted`."
    ]
  ]

  @names Keyword.keys(@options)
  @backoff [initial: 1_000, max: 120_000, multiplier: 1.6, jitter: 0.2]

  @enforce_keys @names
  defstruct @names

  @type t :: %__MODULE__{
          target: Target.t(),
          name: atom(),
          tls: false | keyword(),
          authority: String.t() | nil,
          timeout: non_neg_integer() | :infinity,
          wait_for_ready: boolean(),
          connect_timeout: pos_integer(),
          backoff: %{
            initial: pos_integer(),
            max: pos_integer(),
            multiplier: number(),
            jitter: number()
          },
          max_response_size: pos_integer(),
          max_metadata_size: pos_integer(),
          max_queue: pos_integer()
        }

  @doc "The options as a Markdown list."
  @spec docs() :: String.t()
  def docs do
    Enum.map_join(@options, "\n", fn {name, option} ->
      "  * `:#{name}` - #{option[:doc]}#{note(option)}"
    end)
  end

  defp note(option) do
    cond do
      option[:required] -> " Required."
      option[:default] in [nil, []] -> ""
      true -> " Default: `#{inspect(option[:default])}`."
    end
  end

  @doc "Checks `opts` and fills in the defaults; an `ArgumentError` says what is wrong with them."
  @spec new!(keyword()) :: t()
  def new!(opts) do
    Enum.each(opts, fn {name, _value} -> unless name in @names, do: unknown!(name, @names) end)

    values =
      for {name, option} <- @options do
        if option[:required] && not Keyword.has_key?(opts, name), do: missing!(name)
        {name, check!(name, option[:type], Keyword.get(opts, name, option[:default]))}
      end

    struct!(__MODULE__, values)
  end

  defp missing!(name) do
    raise ArgumentError, "a channel needs the option :#{name}, like #{name}: \"localhost:50051\""
  end

  defp unknown!(name, names) do
    nearest = Enum.max_by(names, &String.jaro_distance(to_string(&1), to_string(name)))

    raise ArgumentError,
          "unknown channel option #{inspect(name)}; did you mean #{inspect(nearest)}? " <>
            "Options are: #{Enum.map_join(names, ", ", &inspect/1)}"
  end

  defp check!(name, :target, value) do
    case Target.parse(value) do
      {:ok, target} -> target
      {:error, text} -> raise ArgumentError, "channel option #{inspect(name)}: #{text}"
    end
  end

  defp check!(_name, :name, value) when is_atom(value), do: value
  defp check!(_name, :tls, value) when value in [nil, false], do: false
  defp check!(_name, :tls, true), do: []
  defp check!(_name, :tls, value) when is_list(value), do: value
  defp check!(_name, :text, value) when is_binary(value) or is_nil(value), do: value
  defp check!(_name, :boolean, value) when is_boolean(value), do: value
  defp check!(_name, :positive, value) when is_integer(value) and value > 0, do: value
  defp check!(_name, :timeout, :infinity), do: :infinity
  defp check!(_name, :timeout, value) when is_integer(value) and value >= 0, do: value

  defp check!(name, :backoff, value) when is_list(value) do
    for {key, number} <- value do
      unless Keyword.has_key?(@backoff, key), do: unknown!(key, Keyword.keys(@backoff))
      unless is_number(number) and number >= 0, do: bad!(name, "numbers of at least 0", value)
    end

    backoff = Map.new(Keyword.merge(@backoff, value))
    if backoff.initial < 1 or backoff.multiplier < 1, do: bad!(name, "pauses that grow", value)
    backoff
  end

  defp check!(name, type, value), do: bad!(name, expected(type), value)

  defp bad!(name, expected, value) do
    raise ArgumentError,
          "channel option #{inspect(name)}: expected #{expected}, got #{inspect(value)}"
  end

  defp expected(:name), do: "an atom"
  defp expected(:tls), do: "true, false or a keyword list"
  defp expected(:text), do: "a string"
  defp expected(:boolean), do: "true or false"
  defp expected(:positive), do: "a positive integer"
  defp expected(:timeout), do: "milliseconds or :infinity"
  defp expected(:backoff), do: "a keyword list"
end
