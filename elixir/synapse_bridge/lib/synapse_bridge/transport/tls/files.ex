defmodule SynapseBridge.Transport.TLS.Files do
  @moduledoc """
  Certificates and keys from the files that the options of `:ssl` name.

  They are read for each connection, so that new files count from the next connection on. By itself,
  `:ssl` would keep what it has read for minutes.
  """

  require Record

  @hrl "public_key/include/public_key.hrl"
  Record.defrecordp(
    :certificate,
    :OTPCertificate,
    Record.extract(:OTPCertificate, from_lib: @hrl)
  )

  Record.defrecordp(
    :tbs,
    :OTPTBSCertificate,
    Record.extract(:OTPTBSCertificate, from_lib: @hrl)
  )

  Record.defrecordp(
    :key_info,
    :OTPSubjectPublicKeyInfo,
    Record.extract(:OTPSubjectPublicKeyInfo, from_lib: @hrl)
  )

  Record.defrecordp(
    :algorithm,
    :PublicKeyAlgorithm,
    Record.extract(:PublicKeyAlgorithm, from_lib: @hrl)
  )

  @doc """
  The options with what is in the files in the place of their names. The error says which option is at
  fault, and why; a key and the certificate have to belong together.
  """
  @spec load(keyword()) :: {:ok, keyword()} | {:error, String.t()}
  def load(options) do
    with {:ok, authorities} <- authorities(options[:cacertfile]),
         {:ok, certificate} <- chain(options[:certfile]),
         {:ok, key} <- key(options[:keyfile] || key_beside(options), options[:password]),
         :ok <- together(certificate, key) do
      loaded = authorities ++ certificate ++ key
      {:ok, loaded ++ Keyword.drop(options, dropped(loaded))}
    end
  end

  # The certificate's file may hold the key as well.
  defp key_beside(options), do: if(options[:key], do: nil, else: options[:certfile])

  # What each of them stands for.
  @sources %{cacerts: [:cacertfile], cert: [:certfile], key: [:keyfile, :password]}

  defp dropped(loaded), do: Enum.flat_map(loaded, fn {name, _} -> [name | @sources[name]] end)

  defp authorities(nil), do: {:ok, []}

  defp authorities(path) do
    with {:ok, certificates} <- certificates(:cacertfile, path),
         do: {:ok, [cacerts: certificates]}
  end

  defp chain(nil), do: {:ok, []}

  defp chain(path) do
    with {:ok, certificates} <- certificates(:certfile, path), do: {:ok, [cert: certificates]}
  end

  defp certificates(name, path) do
    with {:ok, entries} <- entries(name, path) do
      case for {:Certificate, der, :not_encrypted} <- entries, do: der do
        [] -> {:error, "#{name}: there is no certificate in #{inspect(path)}"}
        certificates -> {:ok, certificates}
      end
    end
  end

  defp entries(name, path) do
    case File.read(path) do
      {:ok, text} -> {:ok, :public_key.pem_decode(text)}
      {:error, reason} -> {:error, "#{name}: #{inspect(path)}: #{:file.format_error(reason)}"}
    end
  rescue
    _not_pem -> {:error, "#{name}: #{inspect(path)} is not a PEM file"}
  end

  @keys [:RSAPrivateKey, :DSAPrivateKey, :ECPrivateKey, :PrivateKeyInfo]

  defp key(nil, _password), do: {:ok, []}

  defp key(path, password) do
    with {:ok, entries} <- entries(:keyfile, path) do
      case Enum.find(entries, &(elem(&1, 0) in @keys)) do
        nil ->
          {:error, "keyfile: there is no private key in #{inspect(path)}"}

        {type, der, :not_encrypted} ->
          {:ok, [key: {type, der}]}

        encrypted ->
          decrypt(encrypted, password(password), path)
      end
    end
  end

  defp password(nil), do: nil
  defp password(fun) when is_function(fun, 0), do: password(fun.())
  defp password(password), do: to_charlist(password)

  defp decrypt(_entry, nil, path),
    do: {:error, "keyfile: the key in #{inspect(path)} is encrypted: give the option password"}

  defp decrypt(entry, password, path) do
    key = :public_key.pem_entry_decode(entry, password)
    type = elem(key, 0)
    {:ok, [key: {type, :public_key.der_encode(type, key)}]}
  rescue
    _error -> {:error, "keyfile: the password does not open the key in #{inspect(path)}"}
  end

  # Signs something with the one, and verifies it with the other.
  defp together([cert: [der | _]], key: {type, key_der}) do
    private = :public_key.pem_entry_decode({type, key_der, :not_encrypted})
    digest = if elem(private, 0) in [:RSAPrivateKey, :ECPrivateKey], do: :sha256, else: :none
    signature = :public_key.sign("", digest, private)

    if :public_key.verify("", digest, signature, public_key(der)),
      do: :ok,
      else: {:error, "keyfile: the key does not belong to the certificate in certfile"}
  rescue
    # A kind of key that we do not know; ssl may.
    _error -> :ok
  end

  defp together(_certificate, _key), do: :ok

  defp public_key(der) do
    tbs = certificate(:public_key.pkix_decode_cert(der, :otp), :tbsCertificate)
    info = tbs(tbs, :subjectPublicKeyInfo)

    case key_info(info, :subjectPublicKey) do
      {:ECPoint, _point} = point -> {point, algorithm(key_info(info, :algorithm), :parameters)}
      key -> key
    end
  end

  @doc "Whom a decoded certificate is made out to: the names in its subjectAltName."
  @spec names(tuple()) :: [String.t()]
  def names(decoded) do
    extensions = decoded |> certificate(:tbsCertificate) |> tbs(:extensions)

    for {:Extension, {2, 5, 29, 17}, _critical, names} <- List.wrap(extensions),
        {kind, name} <- names,
        kind in [:dNSName, :iPAddress],
        do: text(kind, name)
  end

  defp text(:dNSName, name), do: to_string(name)
  defp text(:iPAddress, <<a, b, c, d>>), do: to_string(:inet.ntoa({a, b, c, d}))

  defp text(:iPAddress, bytes) do
    ip = for <<part::16 <- IO.iodata_to_binary(bytes)>>, do: part
    to_string(:inet.ntoa(List.to_tuple(ip)))
  end
end
