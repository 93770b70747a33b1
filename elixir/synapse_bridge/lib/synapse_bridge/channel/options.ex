defmodule SynapseBridge.Channel.Options do
  @moduledoc false

  # The options of a channel and of a call, in tables that check and document them.

  alias SynapseBridge.Channel.{Backoff, Health, Keepalive, Retry}
  alias SynapseBridge.Channel.Options.Schema
  alias SynapseBridge.{Server, Telemetry}
  alias SynapseBridge.Transport.{Credentials, Target, TLS}

  @servers [
    target: [
      type: {:own, &Target.parse/1},
      doc:
        "where the server is: `\"host:port\"`, `\"dns:host:port\"`, `\"unix:/path\"`, or what " <>
          "else `SynapseBridge.Transport.Target` reads."
    ],
    targets: [
      type: {:own, &__MODULE__.targets/1},
      doc: "several servers, in the place of `:target`."
    ],
    server: [
      type: {:own, &Server.Options.new/1},
      secret: true,
      doc:
        "in their place, a Python server that is started and stopped with the channel " <>
          "(`SynapseBridge.Server`):\n" <> Server.Options.docs("  ")
    ],
    name: [
      type: :name,
      doc: "an atom that the channel is registered and called under; without one, its pid."
    ],
    pool_size: [
      type: :positive,
      default: 1,
      doc: "how many connections there are to each server."
    ],
    balance: [
      type: {:one_of, [:round_robin, :least_loaded]},
      default: :round_robin,
      doc: "which connection a call takes: the next one, or the one with the fewest calls."
    ],
    resolve_interval: [
      type: :positive,
      default: 30_000,
      doc:
        "how often the addresses of a `dns:` target are looked up, in milliseconds; also after a " <>
          "connection is lost, at most once a second."
    ]
  ]

  @security [
    tls: [
      type: {:own, &TLS.new/1},
      default: false,
      secret: true,
      doc:
        "`true`, or options of `:ssl` such as `cacertfile`, `certfile` and `keyfile`. The server " <>
          "is verified against the system's authorities unless they say otherwise."
    ],
    authority: [
      type: :text,
      doc:
        "the host name that servers are addressed by and their certificates are made out to, " <>
          "where that is not the target's. With several targets, the first one's."
    ],
    allow_insecure: [
      type: :boolean,
      default: false,
      doc: "whether credentials may leave this machine without TLS."
    ]
  ]

  # These a call may have as well.
  @shared [
    timeout: [
      type: :timeout,
      default: 60_000,
      doc: "how long a call may take that does not say so itself: milliseconds or `:infinity`."
    ],
    wait_for_ready: [
      type: :boolean,
      default: false,
      doc: "whether calls wait while no server is in reach, until their deadline."
    ],
    credentials: [
      type: {:own, &Credentials.new/1},
      secret: true,
      doc:
        "`{:bearer, token}`, or `{:bearer, fun}` where `fun` takes nothing and returns the token " <>
          "for each call, in the process that makes it. Not without TLS, unless the server is on " <>
          "this machine or `allow_insecure` says so."
    ]
  ]

  @calls @shared ++
           [
             stream_timeout: [
               type: :timeout,
               default: :infinity,
               doc: "the `:timeout` of calls that stream."
             ],
             retry: [
               type: {:switch, Retry.options()},
               default: true,
               doc: "how idempotent calls are made again that have failed; `false` for never:"
             ],
             on_stale: [
               type: {:one_of, [:warn, :error]},
               default: :warn,
               doc:
                 "what happens when the server has another contract than the client: a line in " <>
                   "the log and an event, or also an error for methods that differ."
             ]
           ]

  @connections [
    connect_timeout: [
      type: :positive,
      default: 20_000,
      doc: "how long one attempt to connect may take, in milliseconds."
    ],
    backoff: [
      type: {:options, Backoff.options()},
      default: [],
      doc: "the pauses between attempts to connect:"
    ],
    keepalive: [
      type: {:switch, Keepalive.options()},
      default: false,
      doc:
        "whether silent servers are asked whether they are there (PING); off by default. `true`, or:"
    ],
    health_check: [
      type: {:switch, Health.options()},
      default: false,
      doc:
        "whether servers are asked for their health, so that those that do not serve get no " <>
          "calls; off by default, but a managed server always is. `true`, or:"
    ]
  ]

  @limits [
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
        "how many calls may wait for a server to take more at once, or to be reached. More are " <>
          "`:resource_exhausted`."
    ]
  ]

  @channel @servers ++ @security ++ @calls ++ @connections ++ @limits

  @call @shared ++
          [
            idempotent: [
              type: :boolean,
              doc: "whether the call may be made again that the server may have carried out."
            ],
            traceparent: [
              type: {:own, &Telemetry.check_traceparent/1},
              doc: "the trace that the call belongs to (`SynapseBridge.Telemetry`)."
            ],
            # Of generated clients: their module.
            client: [type: :name]
          ]

  @names Keyword.keys(@channel) -- [:target]

  @enforce_keys @names
  defstruct @names

  @typedoc "Checked options. `:target` is among `:targets`; nested options are maps."
  @type t :: %__MODULE__{}

  @doc "The options of a channel as a Markdown list."
  @spec docs() :: String.t()
  def docs, do: Schema.docs(@channel)

  @doc "The rows of some options, for a transport that has them as well."
  @spec rows([atom()]) :: Schema.t()
  def rows(names), do: Keyword.take(@channel, names)

  @doc "Checks `opts` and fills in the defaults; an `ArgumentError` says what is wrong with them."
  @spec new!(keyword()) :: t()
  def new!(opts) do
    {target, checked} = @channel |> Schema.new!(opts, "channel") |> Map.pop!(:target)
    targets = targets!(target, checked)
    options = struct!(__MODULE__, managed(%{checked | targets: targets}))

    if text = options.credentials && exposed(options),
      do: raise(ArgumentError, "channel option :credentials: " <> text)

    options
  end

  defp targets!(target, checked) do
    case {target, checked.targets, checked.server} do
      {target, nil, nil} when target != nil -> [target]
      {nil, targets, nil} when targets != nil -> targets
      {nil, nil, server} when server != nil -> []
      {nil, nil, nil} -> bad!("needs the option :target, like target: \"localhost:50051\"")
      _ -> bad!("takes only one of the options :target, :targets and :server")
    end
  end

  defp bad!(text), do: raise(ArgumentError, "a channel #{text}")

  defp managed(%{server: server, health_check: false} = options) when server != nil do
    {:ok, health_check} = Schema.check(Health.options(), [])
    %{options | health_check: health_check}
  end

  defp managed(options), do: options

  @doc "Checks the targets of a channel."
  @spec targets(term()) :: {:ok, [Target.t()]} | {:error, String.t()}
  def targets([_ | _] = targets) do
    Enum.reduce_while(Enum.reverse(targets), {:ok, []}, fn text, {:ok, parsed} ->
      case Target.parse(text) do
        {:ok, target} -> {:cont, {:ok, [target | parsed]}}
        {:error, text} -> {:halt, {:error, text}}
      end
    end)
  end

  def targets(_other), do: {:error, "expected a list of targets, like [\"10.0.0.1:50051\"]"}

  @doc "Why credentials must not go to the servers of the channel; `nil` if they may."
  @spec exposed(t()) :: String.t() | nil
  def exposed(%{tls: tls, allow_insecure: insecure}) when tls != false or insecure, do: nil

  def exposed(options) do
    if target = Enum.find(options.targets, &(not Target.local?(&1))) do
      "whoever is on the way to #{target} could read them: set tls: true, or " <>
        "allow_insecure: true where something else protects the connection"
    end
  end

  @doc """
  The same options of a channel, with what is secret in functions, for a child specification:
  supervisors print that.
  """
  @spec seal(keyword()) :: keyword()
  def seal(opts) do
    for option <- opts do
      case option do
        {:credentials, credentials} -> {:credentials, Credentials.seal(credentials)}
        {:tls, [_ | _] = tls} -> {:tls, fn -> tls end}
        {:server, [_ | _] = server} -> {:server, Server.Options.seal(server)}
        other -> other
      end
    end
  end

  @doc "The names of the options of a call that anybody may give, `:metadata` among them."
  @spec call_names() :: [atom()]
  def call_names, do: [:metadata | Keyword.keys(@call) -- [:client]]

  @doc "The options of a call as a Markdown list, but for `:metadata`."
  @spec call_docs() :: String.t()
  def call_docs, do: @call |> Keyword.delete(:client) |> Schema.docs()

  @doc "Checks the options of a call, and returns them."
  @spec call!(keyword()) :: keyword()
  def call!([]), do: []

  def call!(opts) do
    call_options!(opts)
    opts
  end

  @doc "What a call was given for an option; one that is `nil` was not."
  @spec given(keyword(), atom(), default) :: term() | default when default: term()
  def given(opts, name, default \\ nil) do
    # Every call asks for each of its options: the BIF itself, without the functions around it.
    case :lists.keyfind(name, 1, opts) do
      {_name, value} when value != nil -> value
      _none -> default
    end
  end

  defp call_options!([]), do: :ok
  # The server's answer to a call with bad metadata is an error, and so is ours.
  defp call_options!([{:metadata, _pairs} | rest]), do: call_options!(rest)

  # What most calls have that have any.
  defp call_options!([{:timeout, value} | rest]) when is_integer(value) and value >= 0,
    do: call_options!(rest)

  for {name, row} <- @call do
    defp call_options!([{unquote(name), value} | rest]) do
      case Schema.value(unquote(Macro.escape(row)), value) do
        {:ok, _value} -> call_options!(rest)
        {:error, text} -> raise ArgumentError, "call option #{inspect(unquote(name))}: #{text}"
      end
    end
  end

  defp call_options!([{name, _value} | _rest]) when is_atom(name) do
    schema = [{:metadata, []} | Keyword.delete(@call, :client)]
    raise ArgumentError, "call " <> Schema.unknown(schema, name)
  end

  defp call_options!(_other), do: raise(ArgumentError, "call options are a keyword list")

  # What an error report shows of a channel.
  defimpl Inspect do
    @secret [:tls, :server, :credentials]

    def inspect(options, opts) do
      shown =
        for {name, value} <- Map.to_list(Map.from_struct(options)), value != nil do
          {name, if(name in @secret and value != false, do: :redacted, else: value)}
        end

      Inspect.Algebra.concat(["#SynapseBridge.Channel.Options<", to_doc(shown, opts), ">"])
    end

    defp to_doc(shown, opts), do: Inspect.Algebra.to_doc(shown, opts)
  end
end
