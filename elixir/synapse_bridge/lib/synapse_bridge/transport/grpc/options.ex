if Code.ensure_loaded?(GRPC.Stub) do
  defmodule SynapseBridge.Transport.GRPC.Options do
    @moduledoc false
    # The options of a channel over the library `grpc`.

    alias SynapseBridge.Channel.Options, as: ChannelOptions
    alias SynapseBridge.Channel.Options.Schema
    alias SynapseBridge.Transport.{Credentials, Target}

    @doc "The schema: what a `SynapseBridge.Channel` has too, and the library's own."
    @spec schema() :: Schema.t()
    def schema do
      shared = [:target, :name, :timeout, :stream_timeout, :wait_for_ready, :credentials]
      rows = ChannelOptions.rows(shared ++ [:allow_insecure, :backoff])

      [
        connect: [
          type: {:own, &__MODULE__.connect/1},
          default: [],
          secret: true,
          doc:
            "options of `GRPC.Stub.connect/2`: `interceptors`, `adapter`, `cred`, `headers` and " <>
              "the others."
        ]
      ]
      |> then(&(rows ++ &1))
    end

    @doc "The options as a Markdown list."
    @spec docs() :: String.t()
    def docs, do: Schema.docs(schema())

    @doc false
    # In a function, because it may hold secrets, and errors print the options.
    def connect(fun) when is_function(fun, 0), do: {:ok, fun}

    def connect(options) do
      if Keyword.keyword?(options),
        do: {:ok, fn -> options end},
        else: {:error, "expected a keyword list"}
    end

    @doc "Checks options and fills in the defaults; an `ArgumentError` says what is wrong with them."
    @spec new!(keyword()) :: map()
    def new!(options) do
      checked = Schema.new!(schema(), options, "channel over the library grpc:")

      cond do
        checked.target == nil ->
          raise ArgumentError,
                "a channel needs the option :target, like target: \"localhost:50051\""

        checked.credentials != nil and not secure?(checked) ->
          raise ArgumentError, "channel option :credentials: " <> insecure(checked)

        true ->
          checked
      end
    end

    @doc "The defaults, for calls on a channel of the caller's own."
    @spec defaults() :: map()
    def defaults do
      {:ok, options} = Schema.check(schema(), [])
      options
    end

    @doc "The same options with what is secret in functions: supervisors print them."
    @spec seal(keyword()) :: keyword()
    def seal(options) do
      for option <- options do
        case option do
          {:credentials, credentials} -> {:credentials, Credentials.seal(credentials)}
          {:connect, [_ | _] = connect} -> {:connect, fn -> connect end}
          other -> other
        end
      end
    end

    @doc "Whether credentials may go to the server."
    @spec secure?(map()) :: boolean()
    def secure?(%{allow_insecure: true}), do: true

    def secure?(%{connect: connect, target: target}),
      do: connect.()[:cred] != nil or (target != nil and Target.local?(target))

    @doc "Says why they may not."
    @spec insecure(map()) :: String.t()
    def insecure(_options) do
      "whoever is on the way to the server could read them: give connect: [cred: " <>
        "GRPC.Credential.new(ssl: ...)], or allow_insecure: true where something else protects " <>
        "the connection"
    end

    @doc "A target as the library writes it."
    @spec target(Target.t()) :: String.t()
    def target(%Target{address: {:unix, path}}), do: "unix:" <> path
    def target(%Target{address: {:ip, ip}, port: port}), do: ip(ip) <> ":#{port}"
    def target(%Target{address: {_kind, name}, port: port}), do: "dns://#{name}:#{port}"

    defp ip(ip) when tuple_size(ip) == 4, do: "ipv4:#{:inet.ntoa(ip)}"
    defp ip(ip), do: "ipv6:[#{:inet.ntoa(ip)}]"
  end
end
