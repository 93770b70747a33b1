defmodule SynapseBridge.Transport.Target do
  @moduledoc """
  Where a server is, written as in gRPC's naming document:

    * `"localhost:50051"`: one server; the first address of the name that takes the connection
    * `"dns:example.org:443"`, `"dns:///example.org:443"`: a server at each address of the name
    * `"127.0.0.1:50051"`, `"ipv4:127.0.0.1:50051"`
    * `"[::1]:50051"`, `"ipv6:[::1]:50051"`
    * `"unix:/run/greeter.sock"`, `"unix:///run/greeter.sock"`
  """

  @enforce_keys [:address, :authority]
  defstruct [:address, :authority, :port, :host]

  @typedoc """
    * `authority` - what the server is told it is called
    * `host` - whom its certificate has to be for, where that is not the address
  """
  @type t :: %__MODULE__{
          address: {:name | :dns, String.t()} | {:ip, :inet.ip_address()} | {:unix, Path.t()},
          port: :inet.port_number() | nil,
          authority: String.t(),
          host: String.t() | nil
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
  def parse("dns:///" <> rest), do: dns(rest)
  def parse("dns:" <> rest), do: dns(rest)
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

  defp dns(authority) do
    with {:ok, %{address: {:name, name}} = target} <- host(authority),
         do: {:ok, %{target | address: {:dns, name}}}
  end

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

  @doc "The server at one address of a `dns:` target."
  @spec at(t(), :inet.ip_address()) :: t()
  def at(%__MODULE__{address: {:dns, name}} = target, ip) do
    %{target | address: {:ip, ip}, host: name}
  end

  @doc "Whether what is sent there stays on this machine."
  @spec local?(t()) :: boolean()
  def local?(%__MODULE__{address: {:unix, _path}}), do: true
  def local?(%__MODULE__{address: {:ip, {127, _, _, _}}}), do: true
  def local?(%__MODULE__{address: {:ip, {0, 0, 0, 0, 0, 0, 0, 1}}}), do: true

  def local?(%__MODULE__{address: {kind, name}}),
    do: kind in [:name, :dns] and name == "localhost"

  defimpl String.Chars do
    def to_string(%{address: {:unix, path}}), do: "unix:" <> path
    def to_string(%{address: {:dns, _name}, authority: authority}), do: "dns:" <> authority

    def to_string(%{address: {:ip, ip}, host: host, authority: authority}) when host != nil do
      "#{authority} (#{:inet.ntoa(ip)})"
    end

    def to_string(%{authority: authority}), do: authority
  end
end
