defmodule SynapseBridge.Transport.Credentials do
  @moduledoc """
  What a call shows to the server so that it is let in: a bearer token (RFC 6750, section 2.1).

  A token is kept as a function, so that nothing that prints the options of a channel, the arguments
  of a child or the state of a process prints the token.
  """

  @typedoc "Returns the token; `fun` of the option, or one around its token."
  @type t :: (() -> String.t() | {:ok, String.t()} | {:error, term()})

  # RFC 6750, section 2.1: what a token may be made of.
  @token ~r/\A[A-Za-z0-9\-._~+\/]+=*\z/

  @doc "Checks the option `:credentials`: `{:bearer, token}` or `{:bearer, fun}`."
  @spec new(term()) :: {:ok, t() | nil} | {:error, String.t()}
  def new(nil), do: {:ok, nil}
  def new({:bearer, fun}) when is_function(fun, 0), do: {:ok, fun}

  def new({:bearer, token}) when is_binary(token) do
    if token =~ @token, do: {:ok, fn -> token end}, else: {:error, malformed()}
  end

  def new(_other),
    do: {:error, "expected {:bearer, token}, or {:bearer, fun} with fun.() the token"}

  @doc "The same option, with the token in a function."
  @spec seal(term()) :: term()
  def seal({:bearer, token}) when is_binary(token), do: {:bearer, fn -> token end}
  def seal(other), do: other

  @doc "The metadata that a call sends. The error is a text."
  @spec metadata(t()) :: {:ok, {String.t(), String.t()}} | {:error, String.t()}
  def metadata(fun) do
    case fun.() do
      {:ok, token} -> field(token)
      {:error, reason} -> {:error, "there is no token for the call: #{text(reason)}"}
      token -> field(token)
    end
  end

  defp field(token) do
    if is_binary(token) and token =~ @token,
      do: {:ok, {"authorization", "Bearer " <> token}},
      else: {:error, malformed()}
  end

  defp text(reason) when is_binary(reason), do: reason
  defp text(reason), do: inspect(reason)

  # The token itself is not shown, wrong as it may be.
  defp malformed do
    "the token has a character that no bearer token has: letters, digits and -._~+/ are allowed, " <>
      "\"=\" at the end; perhaps it was read from a file with the line's end"
  end
end
