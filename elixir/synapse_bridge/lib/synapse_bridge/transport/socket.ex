defmodule SynapseBridge.Transport.Socket do
  @moduledoc """
  The byte stream under a connection: TCP or a Unix socket, with or without TLS.

  Data arrives as messages, `{:tcp | :ssl, socket, data}`, in portions of `activate/1`.
  """

  alias SynapseBridge.Transport.{Target, TLS}

  # Messages before the socket waits for the next `activate/1`: enough that it seldom has to, few
  # enough that a fast server cannot fill our mailbox.
  @active 100

  @common [
    mode: :binary,
    active: false,
    packet: :raw,
    buffer: 65_536,
    # A server that reads nothing for so long is lost.
    send_timeout: 30_000,
    send_timeout_close: true
  ]
  # Without nodelay, a call waits for the acknowledgement of the one before (40 ms).
  @tcp [nodelay: true, keepalive: true]

  @type t :: {:gen_tcp, :inet.socket()} | {:ssl, :ssl.sslsocket()}

  @doc """
  Connects within `timeout` milliseconds. `tls` is `false` or TLS options; `host`, if given, is whom
  the certificate has to be for, instead of the target's host. The error is a text.
  """
  @spec connect(Target.t(), tls :: false | keyword(), host :: String.t() | nil, pos_integer()) ::
          {:ok, t()} | {:error, String.t()}
  def connect(target, tls, host, timeout) do
    deadline = now() + timeout

    with {:ok, addresses} <- addresses(target),
         {:ok, socket} <- connect_first(addresses, target.port || 0, deadline) do
      secure(socket, tls, host || certificate_host(target), deadline)
    end
  end

  @doc "The addresses of a target that is not `dns:`, in the order in which they are tried."
  @spec addresses(Target.t()) ::
          {:ok, [:inet.ip_address() | {:local, Path.t()}, ...]} | {:error, String.t()}
  # IPv4 first: servers for development often listen there only.
  def addresses(%Target{address: {:name, name}}) do
    charlist = String.to_charlist(name)

    found =
      for family <- [:inet, :inet6], {:ok, ips} <- [:inet.getaddrs(charlist, family)], do: ips

    case Enum.concat(found) do
      [] -> {:error, "the host name #{inspect(name)} does not resolve"}
      ips -> {:ok, ips}
    end
  end

  def addresses(%Target{address: {:ip, ip}}), do: {:ok, [ip]}
  def addresses(%Target{address: {:unix, path}}), do: {:ok, [{:local, path}]}

  defp connect_first([address | others], port, deadline) do
    timeout = max(deadline - now(), 0)

    case :gen_tcp.connect(address, port, options(address), timeout) do
      {:ok, socket} -> {:ok, socket}
      {:error, reason} when others == [] -> {:error, explain(reason)}
      {:error, _reason} -> connect_first(others, port, deadline)
    end
  end

  defp options({:local, _path}), do: @common
  defp options(ip) when tuple_size(ip) == 8, do: [:inet6 | @tcp ++ @common]
  defp options(_ip), do: @tcp ++ @common

  defp certificate_host(%Target{host: host}) when host != nil, do: host
  defp certificate_host(%Target{address: {:name, name}}), do: name
  defp certificate_host(%Target{address: {:ip, ip}}), do: ip
  defp certificate_host(%Target{address: {:unix, _path}}), do: "localhost"

  defp secure(socket, false, _host, _deadline), do: {:ok, {:gen_tcp, socket}}

  defp secure(socket, tls, host, deadline) do
    case TLS.upgrade(socket, host, tls, max(deadline - now(), 0)) do
      {:ok, tls_socket} ->
        {:ok, {:ssl, tls_socket}}

      {:error, _text} = error ->
        :gen_tcp.close(socket)
        error
    end
  end

  @doc "Writes all of `data`, or returns why it cannot."
  @spec send(t(), iodata()) :: :ok | {:error, String.t()}
  def send({module, socket}, data) do
    with {:error, reason} <- module.send(socket, data), do: {:error, explain(reason)}
  end

  @doc "Lets the next portion of data arrive; `{:tcp_passive | :ssl_passive, socket}` ends it."
  @spec activate(t()) :: :ok | {:error, String.t()}
  def activate({module, socket}) do
    setopts = if module == :ssl, do: &:ssl.setopts/2, else: &:inet.setopts/2

    case setopts.(socket, active: @active) do
      :ok -> :ok
      # What a socket that has been closed makes of it.
      {:error, :einval} -> {:error, explain(:closed)}
      {:error, reason} -> {:error, explain(reason)}
    end
  end

  @doc "Closes without waiting for the server."
  @spec close(t()) :: :ok
  def close({module, socket}) do
    _ = module.close(socket)
    :ok
  end

  @doc "What an error of a socket means, for a person."
  @spec explain(term()) :: String.t()
  def explain(:econnrefused), do: "connection refused; is the server running there?"
  def explain(:enoent), do: "there is no such socket file; is the server running?"
  def explain(:closed), do: "the server closed the connection"
  def explain(:timeout), do: "the server does not answer"
  def explain({:tls_alert, _alert} = reason), do: "TLS: " <> TLS.explain(reason, "the host")

  def explain(reason) do
    case :inet.format_error(reason) do
      ~c"unknown POSIX error" ++ _reason -> inspect(reason)
      text -> to_string(text)
    end
  end

  defp now, do: System.monotonic_time(:millisecond)
end
