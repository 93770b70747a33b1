defmodule SynapseBridge.ScriptedServer do
  @moduledoc """
  An HTTP/2 server that does, step by step, what a test tells it to, right or wrong.

  It listens on a free port of 127.0.0.1. The test reads what the client sent and writes what the
  client is to get, so nothing happens in between that the test does not know of.
  """

  import ExUnit.Assertions

  alias SynapseBridge.Wire

  @preface "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
  # For a client that does nothing where the test expects something.
  @patience 10_000

  defstruct [:socket, :target, :port, transport: :gen_tcp]

  @type t :: %__MODULE__{}
  @type connection :: {:gen_tcp | :ssl, :inet.socket() | :ssl.sslsocket()}

  @doc "Listens; `:port` takes one that was used before, `:ip` another address, `:unix` a path."
  @spec listen(keyword()) :: t()
  def listen(opts \\ []) do
    common = [:binary, active: false, reuseaddr: true, backlog: 128]

    if path = opts[:unix] do
      {:ok, socket} = :gen_tcp.listen(0, [{:ifaddr, {:local, path}} | common])
      %__MODULE__{socket: socket, target: "unix:#{path}"}
    else
      ip = opts[:ip] || {127, 0, 0, 1}
      {:ok, socket} = :gen_tcp.listen(opts[:port] || 0, [{:ip, ip}, {:nodelay, true} | common])
      {:ok, port} = :inet.port(socket)
      %__MODULE__{socket: socket, target: "#{:inet.ntoa(ip)}:#{port}", port: port}
    end
  end

  @doc "Listens with TLS, given options of `:ssl.listen/2`."
  @spec listen_tls(keyword()) :: t()
  def listen_tls(tls) do
    opts = [
      :binary,
      active: false,
      reuseaddr: true,
      ip: {127, 0, 0, 1},
      nodelay: true,
      log_level: :none
    ]

    {:ok, socket} = :ssl.listen(0, opts ++ tls)
    {:ok, {_ip, port}} = :ssl.sockname(socket)
    %__MODULE__{socket: socket, target: "localhost:#{port}", port: port, transport: :ssl}
  end

  @doc "No more connections; those that are open stay open."
  @spec stop_listening(t()) :: :ok
  def stop_listening(%__MODULE__{transport: transport, socket: socket}),
    do: transport.close(socket)

  @doc "Takes the next connection, without a word."
  @spec accept(t()) :: connection()
  def accept(%__MODULE__{transport: :gen_tcp, socket: socket}) do
    {:ok, connection} = :gen_tcp.accept(socket, @patience)
    {:gen_tcp, connection}
  end

  def accept(%__MODULE__{transport: :ssl, socket: socket}) do
    {:ok, connection} = :ssl.transport_accept(socket, @patience)
    {:ok, connection} = :ssl.handshake(connection, @patience)
    {:ssl, connection}
  end

  @doc "Takes the next connection and exchanges SETTINGS with the client."
  @spec accept_http2(t(), keyword()) :: connection()
  def accept_http2(server, settings \\ []) do
    connection = accept(server)
    read_preface(connection)
    assert {:settings, _parameters} = read(connection)
    assert {:window_update, 0, _increment} = read(connection)
    write(connection, Wire.settings(settings))
    assert read(connection) == :settings_ack
    connection
  end

  @doc "Takes the bytes that every client begins with."
  @spec read_preface(connection()) :: true
  def read_preface(connection), do: assert(recv(connection, byte_size(@preface)) == @preface)

  @doc "Writes frames."
  @spec write(connection(), iodata()) :: :ok
  def write({module, socket}, data), do: :ok = module.send(socket, data)

  @doc "The next frame of the client."
  @spec read(connection()) :: tuple() | atom()
  def read(connection) do
    <<size::24, type, flags, id::32>> = recv(connection, 9)
    payload = if size == 0, do: "", else: recv(connection, size)
    Wire.read(Wire.type_name(type), flags, id, payload)
  end

  @doc "The next call: its stream, its header fields as a map, and its message."
  @spec read_call(connection()) :: {pos_integer(), %{binary() => binary()}, binary()}
  def read_call(connection) do
    assert {:headers, id, fields} = read(connection)
    {id, Map.new(fields), read_body(connection, id, "")}
  end

  defp read_body(connection, id, body) do
    case read(connection) do
      {:data, ^id, data, :more} ->
        read_body(connection, id, body <> data)

      {:data, ^id, data, :last} ->
        <<0, size::32, message::binary-size(size)>> = body <> data
        message
    end
  end

  @doc "The client has sent nothing more."
  @spec assert_silent(connection()) :: :ok
  def assert_silent({module, socket}) do
    # A PING and its answer: what the client wrote before has arrived.
    write({module, socket}, Wire.ping("silence?"))
    assert read({module, socket}) == {:ping_ack, "silence?"}
    :ok
  end

  @doc "The client closes the connection, perhaps after a GOAWAY."
  @spec assert_closed(connection()) :: [tuple()]
  def assert_closed({module, socket} = connection) do
    case module.recv(socket, 9, @patience) do
      {:ok, <<size::24, type, flags, id::32>>} ->
        payload = if size == 0, do: "", else: recv(connection, size)
        [Wire.read(Wire.type_name(type), flags, id, payload) | assert_closed(connection)]

      {:error, reason} when reason in [:closed, :econnreset] ->
        []
    end
  end

  @doc "Closes the connection in good order."
  @spec close(connection()) :: :ok
  def close({module, socket}), do: module.close(socket)

  @doc "Closes the connection so that the client gets a TCP reset."
  @spec abort(connection()) :: :ok
  def abort({:gen_tcp, socket}) do
    :ok = :inet.setopts(socket, linger: {true, 0})
    :gen_tcp.close(socket)
  end

  defp recv({module, socket}, size) do
    case module.recv(socket, size, @patience) do
      {:ok, data} -> data
      {:error, reason} -> flunk("the client was to send #{size} bytes, but: #{inspect(reason)}")
    end
  end
end
