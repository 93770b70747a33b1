defmodule SynapseBridge.Transport.TLS do
  @moduledoc """
  TLS for a channel: the server is verified unless the options say otherwise.

  The certificate must be signed by one of the system's authorities (or `:cacertfile`, `:cacerts`) and
  be made out to the host of the target; HTTP/2 must be agreed on through ALPN (RFC 9113, section 3.2).
  OTP 25 would verify nothing by itself, so all of it is asked for here.
  """

  alias SynapseBridge.Channel.Options.Schema
  alias SynapseBridge.Transport.TLS.Files

  # Of :ssl, OTP 25 to 27: those that a client may want to set.
  @options [:cacertfile, :cacerts, :certfile, :cert, :certs_keys, :keyfile, :key, :password] ++
             [:verify, :verify_fun, :partial_chain, :depth, :versions, :ciphers] ++
             [:server_name_indication, :customize_hostname_check, :crl_check, :crl_cache] ++
             [:signature_algs, :signature_algs_cert, :supported_groups, :eccs, :fallback] ++
             [:session_tickets, :reuse_session, :reuse_sessions, :secure_renegotiate] ++
             [:alpn_advertised_protocols, :max_fragment_length, :middlebox_comp_mode] ++
             [:log_level, :keep_secrets, :hibernate_after, :stapling, :ocsp_stapling] ++
             [:cert_policy_opts, :allow_any_ca_purpose, :certificate_authorities, :psk_identity] ++
             [:user_lookup_fun, :key_update_at, :receiver_spawn_opts, :sender_spawn_opts]

  @doc "Checks the option `:tls` of a channel: `false`, or options of `:ssl`."
  @spec new(term()) :: {:ok, false | keyword()} | {:error, String.t()}
  def new(false), do: {:ok, false}
  def new(true), do: {:ok, []}
  def new(fun) when is_function(fun, 0), do: new(fun.())

  def new(tls) do
    # Only their values are secret.
    if Keyword.keyword?(tls),
      do: with(:ok <- known(tls), :ok <- given(tls), {:ok, _} <- Files.load(tls), do: {:ok, tls}),
      else: {:error, "expected true, false or a keyword list of options of :ssl"}
  end

  # A variable of the environment that is not set must not mean: no certificate, or other authorities.
  defp given(tls) do
    case List.keyfind(tls, nil, 1) do
      nil -> :ok
      {name, nil} -> {:error, "#{name}: expected a value, got nil; leave it away to have none"}
    end
  end

  defp known(tls) do
    case Keyword.keys(tls) -- @options do
      [] -> :ok
      [name | _] -> {:error, Schema.unknown(for(name <- @options, do: {name, []}), name)}
    end
  end

  @doc """
  Makes a TLS connection of a TCP one, within `timeout` milliseconds. `options` are those of
  `:ssl.connect/3` and take precedence; `host` is whom the certificate has to be for.
  """
  @spec upgrade(:inet.socket(), host :: String.t() | :inet.ip_address(), keyword(), timeout()) ::
          {:ok, :ssl.sslsocket()} | {:error, String.t()}
  def upgrade(socket, host, options, timeout) do
    # Code that runs outside a release or Mix may not have started it.
    {:ok, _started} = Application.ensure_all_started(:ssl)

    with {:ok, options} <- load(options),
         {:ok, options} <- with_authorities(Keyword.merge(defaults(host), options)),
         {:ok, tls} <- connect(socket, options, timeout, host) do
      check_protocol(tls)
    end
  end

  defp load(options) do
    with {:error, text} <- Files.load(options), do: {:error, "TLS: option " <> text}
  end

  defp defaults(host) do
    [
      verify: :verify_peer,
      depth: 10,
      versions: [:"tlsv1.3", :"tlsv1.2"],
      alpn_advertised_protocols: ["h2"],
      customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)],
      # What goes wrong is in the error; the log of ssl would say it once more for every attempt.
      log_level: :error
    ] ++ server_name(host)
  end

  # Without a name to send, ssl checks the certificate against the address.
  defp server_name(host) when is_binary(host) do
    [server_name_indication: String.to_charlist(host)]
  end

  defp server_name(_ip), do: []

  defp with_authorities(options) do
    if options[:verify] == :verify_none or options[:cacerts] || options[:cacertfile] do
      {:ok, options}
    else
      {:ok, [{:cacerts, :public_key.cacerts_get()} | options]}
    end
  rescue
    _no_authorities ->
      {:error,
       "TLS: this system has no certificate authorities: install them (Debian: the package " <>
         "ca-certificates), or pass tls: [cacertfile: \"ca.pem\"]"}
  end

  defp connect(socket, options, timeout, host) do
    ref = make_ref()

    case :ssl.connect(socket, remember_names(options, ref), timeout) do
      {:ok, tls} -> {:ok, tls}
      {:error, reason} -> {:error, "TLS: " <> explain(reason, host) <> names(ref)}
    end
  catch
    # ssl exits when an option has a type it does not expect.
    kind, reason -> {:error, "TLS: bad options: " <> Exception.format_banner(kind, reason)}
  end

  # A certificate for another host is only seen here: the error does not have it.
  defp remember_names(options, ref) do
    if options[:verify] == :verify_peer and options[:verify_fun] == nil,
      do: [{:verify_fun, {&verify/3, {self(), ref}}} | options],
      else: options
  end

  # What ssl itself does, according to its documentation of verify_fun.
  defp verify(certificate, {:bad_cert, reason}, {owner, ref}) do
    if reason == :hostname_check_failed, do: send(owner, {ref, Files.names(certificate)})
    {:fail, {:bad_cert, reason}}
  end

  # subjectAltName, which is critical where a certificate has no subject (RFC 5280, 4.2.1.6): ssl
  # compares it with the host once the certificate is valid.
  defp verify(_certificate, {:extension, {:Extension, {2, 5, 29, 17}, _, _}}, state),
    do: {:valid, state}

  defp verify(_certificate, {:extension, _extension}, state), do: {:unknown, state}
  defp verify(_certificate, _valid, state), do: {:valid, state}

  defp names(ref) do
    receive do
      {^ref, []} -> " (it names no host)"
      {^ref, names} -> " (it is for #{Enum.join(names, ", ")})"
    after
      0 -> ""
    end
  end

  defp check_protocol(tls) do
    case :ssl.negotiated_protocol(tls) do
      {:ok, "h2"} ->
        {:ok, tls}

      {:error, :protocol_not_negotiated} ->
        _ = :ssl.close(tls)
        {:error, "TLS: " <> no_http2()}

      # With TLS 1.3 a server sees our certificate, or none, when the handshake is over for us.
      _closed ->
        _ = :ssl.close(tls)
        {:error, "TLS: " <> refused("closed")}
    end
  end

  @doc "A guess at why a server ends a connection at the start."
  @spec wants_certificate() :: String.t()
  def wants_certificate do
    "it may want a certificate of ours, tls: [certfile: …, keyfile: …]"
  end

  @doc "What an error of `:ssl` means, for a person."
  @spec explain(term(), host :: term()) :: String.t()
  def explain({:tls_alert, {alert, text}}, host) do
    text = text |> List.to_string() |> String.trim()
    # Its texts name both sides: an alert of the server is about us.
    ours? = not String.contains?(text, "SERVER ALERT")

    cond do
      text =~ "hostname_check_failed" ->
        "the server's certificate is not made out to #{name(host)}: use the name that it is for, " <>
          "or the channel's option authority"

      alert == :unknown_ca and ours? ->
        "the server's certificate is signed by an authority that is not trusted here: " <>
          "pass tls: [cacertfile: \"ca.pem\"]"

      text =~ "selfsigned_peer" ->
        "the server's certificate is signed by itself: pass tls: [cacertfile: \"certificate.pem\"]"

      alert == :certificate_expired and ours? ->
        "the server's certificate has expired"

      alert == :no_application_protocol ->
        no_http2()

      not ours? and
          alert in [:certificate_required, :bad_certificate, :unknown_ca, :handshake_failure] ->
        refused(alert) <> " (#{text})"

      true ->
        text
    end
  end

  def explain({:options, reason}, _host), do: "bad options: #{inspect(reason)}"
  def explain(:closed, _host), do: "the server closed the connection; does it speak TLS?"
  def explain(:timeout, _host), do: "no answer in time; does the server speak TLS?"

  def explain(reason, _host) do
    case :ssl.format_error(reason) do
      ~c"" -> inspect(reason)
      text -> to_string(text)
    end
  end

  defp refused(how), do: "the server refused the connection (#{how}): #{wants_certificate()}"

  defp no_http2, do: "the server does not offer HTTP/2 (ALPN protocol h2)"

  defp name(host) when is_binary(host), do: inspect(host)
  defp name(ip), do: ip |> :inet.ntoa() |> to_string()
end
