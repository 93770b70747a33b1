if Code.ensure_loaded?(GRPC.Stub) do
  defmodule SynapseBridge.Transport.GRPC do
    @moduledoc """
    Carries the calls of generated clients over the library `grpc` (`{:grpc, "~> 1.0"}`), for those who
    run on it already, with its interceptors, adapters and load balancing.

        children = [
          {MyPythonAgent,
           target: "localhost:50051",
           transport: SynapseBridge.Transport.GRPC,
           connect: [interceptors: [MyInterceptor]]}
        ]

    or with a channel of one's own:

        {:ok, channel} = GRPC.Stub.connect("localhost:50051")
        MyPythonAgent.process_data(data, channel: channel)

    This module exists where the runtime was compiled with the library.

    ## Options

    #{SynapseBridge.Transport.GRPC.Options.docs()}

    ## Calls

    All kinds of call, deadlines, metadata, declared exceptions and the details of errors are as with
    `SynapseBridge.Channel`; leaving a stream cancels it. What differs:

      * messages go through the library as bytes: an interceptor gets the request of a unary call as
        iodata and its response as a binary; for a call that streams it gets `nil` and the
        library's stream. It runs in a process of the call, whose `$callers` name the process that
        makes it;
      * the library reads what the server sends as it comes, and takes what is sent: neither a slow
        consumer nor a slow server holds the other side back, and what waits is kept in memory;
      * a unary call that is given up at its deadline, or whose process dies, is not cancelled; its
        server is told the deadline;
      * while the library connects anew, calls may wait until their deadline;
      * a response has no metadata of its own: neither trailers nor a server's answer about
        its contract;
      * calls are not made again, idempotent or not;
      * events are those of the library, not of `SynapseBridge.Telemetry`.
    """

    @behaviour SynapseBridge.Transport

    alias SynapseBridge.Channel.Call, as: Time
    alias SynapseBridge.Channel.CallMetadata
    alias SynapseBridge.Channel.Options, as: CallOptions
    alias SynapseBridge.Status
    alias SynapseBridge.Transport.{Metadata, Request}
    alias SynapseBridge.Transport.GRPC.{Call, Connector, Exchange, Options}

    @impl true
    def child_spec(options) do
      %{
        id: options[:name] || __MODULE__,
        start: {Connector, :start_link, [Options.seal(options)]}
      }
    end

    @impl true
    def unary(channel, path, request, options) do
      with {:ok, call} <- call(channel, path, request, :timeout, options),
           do: Call.unary(call, request)
    end

    @impl true
    def open_stream(channel, path, {:stream, first}, options) do
      with {:ok, call} <- call(channel, path, first || "", :stream_timeout, options),
           do: Exchange.open(call, first, :more)
    end

    def open_stream(channel, path, request, options) do
      with {:ok, call} <- call(channel, path, request, :stream_timeout, options),
           do: Exchange.open(call, request, :last)
    end

    @impl true
    defdelegate produce(exchange, items, encode), to: Exchange

    @impl true
    defdelegate next(exchange, one, other), to: Exchange

    @impl true
    defdelegate alive?(exchange), to: Exchange

    @impl true
    defdelegate cancel(exchange), to: Exchange

    # What there is to know before anything is sent.
    defp call(channel, path, request, timeout, given) do
      CallOptions.call!(given)
      options = Connector.options(channel)
      timeout = CallOptions.given(given, :timeout, Map.fetch!(options, timeout))
      deadline = Time.deadline(timeout)
      wait? = CallOptions.given(given, :wait_for_ready, options.wait_for_ready)
      metadata = CallOptions.given(given, :metadata, [])

      with :ok <- size(request),
           # The library writes the fields; this says what is wrong with them.
           {:ok, _fields} <- Metadata.encode(metadata),
           {:ok, metadata} <-
             CallMetadata.complete(metadata, options, given, &Options.exposed/1),
           {:ok, channel} <- Connector.channel(channel, wait?, timeout, deadline) do
        call = %Call{path: path, channel: channel, metadata: metadata}
        {:ok, %{call | allowed: timeout, deadline: deadline}}
      else
        {:error, %Status{} = status} -> {:error, status}
        {:error, text} -> {:error, Status.local(:invalid_argument, text)}
        {:denied, text} -> {:error, Status.local(:unauthenticated, text)}
      end
    end

    defp size(request) do
      with {:error, size} <- Request.size(request) do
        text = "the request has #{size} bytes; gRPC allows 4 GiB"
        {:error, Status.local(:resource_exhausted, text)}
      end
    end
  end
end
