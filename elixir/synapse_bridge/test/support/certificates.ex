defmodule SynapseBridge.Certificates do
  @moduledoc "Certificates made at test time: an authority for a server's, and one for a client's."

  @subject_alt_name {2, 5, 29, 17}
  # SHA-1, the default, is not accepted any more by OTP 27.
  @key [key: {:namedCurve, :secp256r1}, digest: :sha256]

  @doc """
  Options of `:ssl` for a server whose certificate is for `names`, and for a client that trusts its
  authority. Each has a certificate that the other's authorities vouch for.

    * `:names` - as of `subjectAltName`, `[dNSName: ~c"localhost"]` by default
    * `:critical` - whether `subjectAltName` is critical, which it is not by default
    * `:validity` - two dates
  """
  @spec make(keyword()) :: %{server: keyword(), client: keyword()}
  def make(opts \\ []) do
    names = Keyword.get(opts, :names, dNSName: ~c"localhost")
    critical = Keyword.get(opts, :critical, false)
    peer = @key ++ [extensions: [{:Extension, @subject_alt_name, critical, names}]]
    validity = Keyword.take(opts, [:validity])

    %{server_config: server, client_config: client} =
      :public_key.pkix_test_data(%{
        server_chain: %{root: @key, intermediates: [], peer: peer ++ validity},
        client_chain: %{root: @key, intermediates: [], peer: @key}
      })

    %{server: server, client: client}
  end
end
