defmodule SynapseBridge.Transport.Target do
  @moduledoc """
  Where a server is, written as in gRPC's naming document:

    * `"localhost:50051"`, `"dns:example.org:443"`, `"dns:///example.org:443"`
    * `"127.0.0.1:50051"`, `"ipv4:127.0.0.1:50051"`
    * `"[::1]:50051"`, `"ipv6:[::1]:50051"`
    * `"unix:/run/greeter.sock"`, `"unix:///run/greeter.sock"`
  """

  @enforce_keys [:address, :authority]
  defstruct [:address, :authority, :port]

  @typedoc "`authority` is what the server is told it is called, and `to_string/1` of a target."
  @type t :: %__MODULE__{
          address: {:name, String.t()} | {:ip, :inet.ip_address()} | {:unix, Path.t()},
          port: :inet.port_number() | nil,
          authority: String.t()
        }

  @doc """
  Reads a target; the error is a text for the person who wrote it.

      iex> {:ok, target} = SynapseBridge.Transport.Target.parse("[::1]:50051")
      iex> {target.address, target.port, target.authority}
      {{:ip, {0, 0, 0, 0, 0, 0, 0, 1}}, 50051, "[::1]:50051"}
  """
  @spec parse(String.t()) :: {:ok, t()} | {:error, String.t()}
  def parse("unix://" <> path = target), do: unix(path, target)
  def parse("unix:" <> path = target), do: unix(path, target)
  def parse("dns:///" <> rest), do: host(rest)
  def parse("dns:" <> rest), do: host(rest)
  def parse("ipv4:" <> rest), do: host(rest)
  def parse("ipv6:" <> rest), do: host(rest)

  def parse(target) when is_binary(target) do
    if String.contains?(target, "://") do
      {:error,
       "the target #{inspect(target)} looks like a URL: write \"host:port\", " <>
         "and `tls: true` for an encrypted connection"}
    else
      host(target)
    end
  end

  def parse(other) do
    {:error, "a target is a string like \"localhost:50051\", but this is #{inspect(other)}"}
  end

  defp unix("", target), do: {:error, "the target #{inspect(target)} has no path"}

  # gRPC's servers expect this name from clients of a socket file.
  defp unix(path, _target), do: {:ok, %__MODULE__{address: {:unix, path}, authority: "localhost"}}

  defp host("[" <> rest = authority) do
    with [host, ":" <> port] <- String.split(rest, "]", parts: 2),
         {:ok, ip} <- :inet.parse_ipv6strict_address(String.to_charlist(host)),
         {:ok, port} <- port(port) do
      {:ok, %__MODULE__{address: {:ip, ip}, port: port, authority: authority}}
    else
      _other -> {:error, "the target #{inspect(authority)} is not like \"[::1]:50051\""}
    end
  end

  defp host(authority) do
    with [host, port] when host != "" <- String.split(authority, ":"),
         {:ok, port} <- port(port) do
      {:ok, %__MODULE__{address: address(host), port: port, authority: authority}}
    else
      [_host] -> {:error, "the target #{inspect(authority)} has no port: write \"host:port\""}
      _other -> {:error, "the target #{inspect(authority)} is not like \"localhost:50051\""}
    end
  end

  defp address(host) do
    case :inet.parse_ipv4strict_address(String.to_charlist(host)) do
      {:ok, ip} -> {:ip, ip}
      {:error, _reason} -> {:name, host}
    end
  end

  defp port(text) do
    case Integer.parse(text) do
      {port, ""} when port in 1..65_535 -> {:ok, port}
      _other -> :error
    end
  end

  defimpl String.Chars do
    def to_string(%{address: {:unix, path}}), do: "unix:" <> path
    def to_string(%{authority: authority}), do: authority
  end
end
