defmodule SynapseBridge.Client do
  @moduledoc """
  The client of one Python module: functions that look local and run there.

      defmodule MyPythonAgent do
        use SynapseBridge.Client,
          service: "my_python_agent.v1.MyPythonAgentService",
          contract: "9f2c6a5d7e41b083"

        rpc :process_data,
            "ProcessData",
            MyPythonAgent.ProcessDataRequest,
            MyPythonAgent.ProcessDataResponse

        def process_data(data, opts \\\\ []), do: call(:process_data, %{data: data}, opts)
        def process_data!(data, opts \\\\ []), do: call!(:process_data, %{data: data}, opts)
      end

  Such modules are generated. One goes into a supervision tree with the options of
  `SynapseBridge.Channel`, and its functions use the channel of its own name:

      children = [{MyPythonAgent, target: "localhost:50051"}]

  ## Calls

  Arguments are checked first. Where they do not fit, every violation is in the
  `SynapseBridge.Error`, and nothing is sent. Optional and keyword-only parameters of the Python
  function are options, beside those of every call:

    * `:timeout` - milliseconds or `:infinity`: one deadline for all of the call, which the server
      learns too. By default the one that the method has in Python, or else the channel's;
    * `:metadata` - a list or map of keys and values, both binaries. Values of keys that end in
      `-bin` may hold any bytes;
    * `:channel` - another channel, by name or pid, or a `GRPC.Channel` of the library `grpc`
      (`SynapseBridge.Transport`);
    * `:wait_for_ready` - whether to wait for a connection instead of failing at once;
    * `:credentials` - `{:bearer, token}` in the place of the channel's;
    * `:idempotent` - whether the call may be made again that the server may have carried out; by
      default what the method says in Python;
    * `:traceparent` - the trace that the call belongs to (`SynapseBridge.Telemetry`).

  ## Streams

  A Python function that gives an iterator is worth a lazy `Enumerable`. Each enumeration is a call of
  its own, made when it begins, by the process that enumerates. It ends with the stream, or when the
  enumeration does: `Enum.take(stream, 2)`, an exception in between, or the death of the process cancel
  the call. A failure raises the error where the next item would have been. What the process has not
  got to holds the server back: Python's generator is stopped when it is a megabyte ahead. `SynapseBridge.Stream` is the form for processes that cannot wait.

  An argument that is an iterator in Python takes any `Enumerable`. It is gone through in a process of
  its own, as fast as the server takes it, and stopped when the call ends; an item that does not fit
  its type, or an exception in it, cancels the call and is its error.

  Calls that stream have no deadline unless they or the method say so (the channel's
  `:stream_timeout`).

  ## Declared exceptions

  Exceptions that the Python function declares are exceptions in Elixir too, with the same fields:

      case Shop.reserve("AB-1", 3) do
        {:ok, reservation} -> reservation
        {:error, %Shop.OutOfStock{sku: sku, left: left}} -> {sku, left}
        {:error, %SynapseBridge.Error{} = error} -> raise error
      end

  With every call goes the contract the client was generated from, as the metadata
  `synapse-contract`.
  """

  alias SynapseBridge.{Error, Transport}
  alias SynapseBridge.Client.{Arguments, Rpc, Session, Streaming}

  @typedoc "An option of every call."
  @type option ::
          {:timeout, timeout()}
          | {:metadata, [{String.t(), binary()}] | %{optional(String.t()) => binary()}}
          | {:channel, atom() | pid() | struct()}
          | {:wait_for_ready, boolean()}
          | {:credentials, {:bearer, String.t() | (() -> String.t())}}
          | {:idempotent, boolean()}
          | {:traceparent, String.t()}

  @doc false
  defmacro __using__(options) do
    errors = options |> Keyword.get(:errors, []) |> Enum.map(&reference(&1, __CALLER__))

    quote do
      import SynapseBridge.Client, only: [rpc: 4, rpc: 5]
      Module.register_attribute(__MODULE__, :synapse_rpcs, accumulate: true)
      @synapse_service unquote(Keyword.fetch!(options, :service))
      @synapse_contract unquote(Keyword.fetch!(options, :contract))
      @synapse_errors SynapseBridge.Client.errors(@synapse_service, unquote(errors))
      @before_compile SynapseBridge.Client

      @doc """
      A channel to the server, registered as `#{inspect(__MODULE__)}`, for a supervisor. Takes the
      options of `SynapseBridge.Channel`; `:target`, `:targets` or `:server` is required. With the
      option `:transport`, something else carries the calls (`SynapseBridge.Transport`), and the
      options are of that.
      """
      @spec child_spec(keyword()) :: Supervisor.child_spec()
      def child_spec(options),
        do: SynapseBridge.Transport.child_spec(Keyword.put_new(options, :name, __MODULE__))
    end
  end

  @doc """
  Declares what a function calls: its name, the method, and the messages of request and response.

    * `result: :none` says that the Python function returns `None`; the function is worth `:ok` then.
    * `stream: :server`: the result is a stream. `stream: :client`: an argument is one, which
      `streamed:` names. `stream: :bidi`: both.
    * `timeout:` is the deadline, in milliseconds, of calls that have no other.
    * `idempotent: true`: a call may be made again that the server may have carried out.
    * `fingerprint:` changes with the method and the messages it reaches.
  """
  defmacro rpc(function, method, request, response, options \\ []) do
    [request, response] = Enum.map([request, response], &reference(&1, __CALLER__))

    quote do
      @synapse_rpcs %Rpc{
        function: unquote(function),
        path: "/#{@synapse_service}/#{unquote(method)}",
        request: unquote(request),
        response: unquote(response),
        result: unquote(Keyword.get(options, :result, :value)),
        channel: __MODULE__,
        contract: @synapse_contract,
        fingerprint: unquote(options[:fingerprint]),
        stream: unquote(options[:stream]),
        streamed: unquote(options[:streamed]),
        timeout: unquote(options[:timeout]),
        idempotent: unquote(Keyword.get(options, :idempotent, false)),
        errors: @synapse_errors
      }
    end
  end

  # The messages are needed at the call, not to compile the client.
  defp reference(alias, env), do: Macro.expand(alias, %{env | function: {:__synapse__, 1}})

  @doc false
  # A declared exception is a message of the service's package, with the name of its module.
  def errors(service, modules) do
    package = service |> String.split(".") |> Enum.drop(-1) |> Enum.join(".")
    Map.new(modules, &{"#{package}.#{&1 |> Module.split() |> List.last()}", &1})
  end

  @doc false
  defmacro __before_compile__(env) do
    rpcs = env.module |> Module.get_attribute(:synapse_rpcs) |> Enum.reverse()

    found =
      for rpc <- rpcs,
          do: quote(do: defp(rpc(unquote(rpc.function)), do: unquote(Macro.escape(rpc))))

    quote do
      unquote_splicing(found)

      defp call(function, arguments, options),
        do: SynapseBridge.Client.call(rpc(function), arguments, options)

      defp call!(function, arguments, options),
        do: SynapseBridge.Client.call!(rpc(function), arguments, options)

      if unquote(Enum.any?(rpcs, &(&1.stream in [:server, :bidi]))) do
        defp call_stream(function, arguments, options),
          do: SynapseBridge.Client.call_stream(rpc(function), arguments, options)
      end

      @doc false
      def __synapse__(:kind), do: :client
      def __synapse__(:service), do: @synapse_service
      def __synapse__(:contract), do: @synapse_contract
      def __synapse__(:rpcs), do: unquote(Macro.escape(rpcs))
    end
  end

  @doc "Calls a function with its arguments by name; options as described above."
  @spec call(Rpc.t(), map(), keyword()) :: {:ok, term()} | :ok | {:error, Exception.t()}
  def call(%Rpc{} = rpc, arguments, options) do
    with {:ok, {_, request, _, options} = prepared} <- prepare(rpc, arguments, options) do
      case rpc.stream do
        nil -> send_request(rpc, rpc.request.encode(request), options)
        :client -> Streaming.result(prepared)
        _server_or_bidi -> {:ok, Streaming.enumerable(prepared)}
      end
    end
  end

  @doc "Same as `call/3`, but returns the bare value, or `:ok`, and raises the error."
  @spec call!(Rpc.t(), map(), keyword()) :: term()
  def call!(rpc, arguments, options) do
    case call(rpc, arguments, options) do
      {:ok, value} -> value
      :ok -> :ok
      {:error, error} -> raise error
    end
  end

  @doc "Calls a function whose results come as messages: `SynapseBridge.Stream`."
  @spec call_stream(Rpc.t(), map(), keyword()) ::
          {:ok, SynapseBridge.Stream.t()} | {:error, Exception.t()}
  def call_stream(rpc, arguments, options) do
    with {:ok, prepared} <- prepare(rpc, arguments, options),
         do: {:ok, SynapseBridge.Stream.open(prepared)}
  end

  @doc false
  # Checks a call, which can then be made.
  @spec prepare(Rpc.t(), map(), keyword()) :: {:ok, Session.prepared()} | {:error, Error.t()}
  def prepare(rpc, arguments, options) do
    case Arguments.request(rpc, arguments, options) do
      {:ok, request, items, options} -> {:ok, {rpc, request, items, options}}
      {:error, violations} -> {:error, Error.invalid(violations)}
    end
  end

  defp send_request(rpc, bytes, options) do
    {channel, options} = Keyword.pop(options, :channel, rpc.channel)
    {transport, channel} = Transport.find(channel)
    receive_response(rpc, transport.unary(channel, rpc.path, bytes, Rpc.options(rpc, options)))
  end

  defp receive_response(rpc, {:ok, bytes, _trailers}) do
    case {rpc.response.decode(bytes), rpc.result} do
      {{:ok, _}, :none} -> :ok
      {{:ok, %{result: result}}, :value} -> {:ok, result}
      {{:error, violations}, _} -> {:error, Error.undecodable(violations)}
    end
  end

  defp receive_response(rpc, {:error, status}), do: {:error, Rpc.error(rpc, status)}
end
