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

      if checked.target == nil,
        do:
          raise(
            ArgumentError,
            "a channel needs the option :target, like target: \"localhost:50051\""
          )

      if text = checked.credentials && exposed(checked),
        do: raise(ArgumentError, "channel option :credentials: " <> text)

      checked
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

    @doc "Why credentials must not go to the server; `nil` if they may."
    @spec exposed(map()) :: String.t() | nil
    def exposed(%{allow_insecure: true}), do: nil

    def exposed(%{connect: connect, target: target}) do
      if connect.()[:cred] == nil and (target == nil or not Target.local?(target)) do
        "whoever is on the way to the server could read them: give connect: [cred: " <>
          "GRPC.Credential.new(ssl: ...)], or allow_insecure: true where something else protects " <>
          "the connection"
      end
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
