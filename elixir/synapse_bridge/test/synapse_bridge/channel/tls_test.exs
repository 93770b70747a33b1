defmodule SynapseBridge.Channel.TLSTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.{Certificates, Channel, ScriptedServer, Status, Wire}

  import ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  @moduletag :capture_log
  @h2 [alpn_preferred_protocols: ["h2"]]

  setup_all do
    %{certificates: Certificates.make(), other: Certificates.make()}
  end

  defp start(target, tls, opts \\ []) do
    opts = [target: target, tls: tls, backoff: [initial: 60_000]] ++ opts
    start_supervised!({Channel, opts}, id: make_ref())
  end

  defp trusting(certificates), do: Keyword.take(certificates.client, [:cacerts])

  defp assert_works(server, channel) do
    call = Task.async(fn -> Channel.unary(channel, "/p.S/M", "x") end)
    connection = accept_http2(server)
    {1, fields, "x"} = read_call(connection)
    write(connection, Wire.response(1, "y"))
    assert Task.await(call) == {:ok, "y", []}
    {connection, fields}
  end

  # The text of the status that a call gets when there is no connection.
  defp refused(server, target, tls, opts \\ []) do
    # Both sides are needed for a handshake, whatever comes of it.
    server_side =
      Task.async(fn ->
        {:ok, socket} = :ssl.transport_accept(server.socket, 5000)
        result = :ssl.handshake(socket, 5000)
        receive do: (:done -> result)
      end)

    channel = start(target, tls, opts)

    assert {:error, %Status{code: 14, message: message}} =
             Channel.unary(channel, "/p.S/M", "x", timeout: 5000)

    send(server_side.pid, :done)
    Task.await(server_side)
    message
  end

  test "a server with a certificate of a trusted authority", %{certificates: certificates} do
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)
    {_connection, fields} = assert_works(server, start(server.target, trusting(certificates)))
    assert %{":scheme" => "https", ":authority" => "localhost:" <> _} = fields
  end

  test "a megabyte each way", %{certificates: certificates} do
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)
    channel = start(server.target, trusting(certificates))
    {connection, _fields} = assert_works(server, channel)
    megabyte = :binary.copy("0123456789abcdef", 65_536)
    windows = [Wire.window_update(0, 2_000_000), Wire.settings(initial_window_size: 2_000_000)]
    write(connection, windows)
    assert ScriptedServer.read(connection) == :settings_ack

    call = Task.async(fn -> Channel.unary(channel, "/p.S/M", megabyte) end)
    assert {3, _fields, ^megabyte} = read_call(connection)
    write(connection, Wire.response_headers(3))
    <<first::binary-size(5), rest::binary>> = Wire.message(megabyte)
    write(connection, Wire.data(3, first))
    for <<part::binary-size(16_384) <- rest>>, do: write(connection, Wire.data(3, part))
    write(connection, Wire.trailers(3))
    assert Task.await(call) == {:ok, megabyte, []}
  end

  test "a server of an authority that is not trusted", %{certificates: certificates, other: other} do
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)

    # The system's authorities do not know it either.
    for tls <- [trusting(other), true] do
      message = refused(server, server.target, tls)
      assert message =~ "signed by an authority that is not trusted here"
      assert message =~ "cacertfile"
    end
  end

  test "it works without verification when that is asked for", %{certificates: certificates} do
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)
    assert_works(server, start(server.target, verify: :verify_none))
  end

  test "a certificate for another host", %{certificates: certificates} do
    other = Certificates.make(names: [dNSName: ~c"other.example"])
    server = ScriptedServer.listen_tls(other.server ++ @h2)
    message = refused(server, server.target, trusting(other))
    assert message =~ ~s(not made out to "localhost")
    assert message =~ "(it is for other.example)"

    # unless it is the host that was meant
    {_connection, fields} =
      assert_works(server, start(server.target, trusting(other), authority: "other.example"))

    assert fields[":authority"] == "other.example"

    # an address is a host as well
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)
    message = refused(server, "127.0.0.1:#{server.port}", trusting(certificates))
    assert message =~ "not made out to 127.0.0.1"
    assert message =~ "(it is for localhost)"
  end

  test "a certificate for an address" do
    certificates = Certificates.make(names: [iPAddress: <<127, 0, 0, 1>>])
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)
    assert_works(server, start("127.0.0.1:#{server.port}", trusting(certificates)))
  end

  # As authorities make them out that leave the subject empty (RFC 5280, 4.2.1.6).
  test "a certificate whose names are critical, for the right host and another one" do
    for {host, names} <- [
          {"localhost", [dNSName: ~c"localhost"]},
          {"127.0.0.1", [iPAddress: <<127, 0, 0, 1>>]}
        ] do
      right = Certificates.make(names: names, critical: true)
      server = ScriptedServer.listen_tls(right.server ++ @h2)
      assert_works(server, start("#{host}:#{server.port}", trusting(right)))

      wrong = Certificates.make(names: [dNSName: ~c"other.example"], critical: true)
      server = ScriptedServer.listen_tls(wrong.server ++ @h2)
      message = refused(server, "#{host}:#{server.port}", trusting(wrong))
      assert message =~ "not made out to"
    end
  end

  test "a certificate for all hosts of a domain" do
    certificates = Certificates.make(names: [dNSName: ~c"*.example.org"])
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)

    assert_works(
      server,
      start(server.target, trusting(certificates), authority: "api.example.org")
    )
  end

  test "a certificate that has expired" do
    certificates = Certificates.make(validity: {{2020, 1, 1}, {2020, 2, 1}})
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)
    assert refused(server, server.target, trusting(certificates)) =~ "has expired"
  end

  test "a server without HTTP/2", %{certificates: certificates} do
    for alpn <- [[], [alpn_preferred_protocols: ["http/1.1"]]] do
      server = ScriptedServer.listen_tls(certificates.server ++ alpn)

      assert refused(server, server.target, trusting(certificates)) =~
               "does not offer HTTP/2 (ALPN"
    end
  end

  for version <- [:"tlsv1.2", :"tlsv1.3"] do
    @version version
    describe "a server that wants a certificate of the client (#{version})" do
      setup %{certificates: certificates} do
        mutual = [verify: :verify_peer, fail_if_no_peer_cert: true, versions: [@version]]
        %{server: ScriptedServer.listen_tls(certificates.server ++ @h2 ++ mutual)}
      end

      test "takes the right one", %{server: server, certificates: certificates} do
        assert_works(server, start(server.target, certificates.client))
      end

      test "refuses when there is none", %{server: server, certificates: certificates} do
        message = refused(server, server.target, trusting(certificates))
        assert message =~ "it may want a certificate of ours"
      end

      test "refuses one of another authority", %{
        server: server,
        certificates: certificates,
        other: other
      } do
        client = Keyword.merge(other.client, trusting(certificates))
        assert refused(server, server.target, client) =~ "it may want a certificate of ours"
      end
    end
  end

  test "TLS to a server without it", %{certificates: certificates} do
    server = ScriptedServer.listen()
    channel = start(server.target, trusting(certificates))
    call = Task.async(fn -> Channel.unary(channel, "/p.S/M", "x") end)
    connection = ScriptedServer.accept(server)
    write(connection, Wire.settings())
    ScriptedServer.close(connection)
    assert {:error, %Status{code: 14, message: message}} = Task.await(call)
    assert message =~ "TLS"
  end

  test "no TLS to a server with it", %{certificates: certificates} do
    server = ScriptedServer.listen_tls(certificates.server ++ @h2)
    assert refused(server, server.target, false) =~ "TLS"
  end

  describe "files" do
    @describetag :tmp_dir

    # The files of an authority, a certificate and a key; returns their names as options.
    defp write_files(certificates, folder) do
      [:cert, :key, :cacerts] = Keyword.keys(Keyword.take(certificates, [:cert, :key, :cacerts]))
      {type, key} = certificates[:key]

      for {file, entries} <- [
            {"ca.pem",
             for(der <- certificates[:cacerts], do: {:Certificate, der, :not_encrypted})},
            {"cert.pem", [{:Certificate, certificates[:cert], :not_encrypted}]},
            {"key.pem", [{type, key, :not_encrypted}]}
          ] do
        File.write!(Path.join(folder, file), :public_key.pem_encode(entries))
      end

      [
        cacertfile: Path.join(folder, "ca.pem"),
        certfile: Path.join(folder, "cert.pem"),
        keyfile: Path.join(folder, "key.pem")
      ]
    end

    defp sorted(options), do: Enum.sort_by(options, fn {name, _} -> name != :cert end)

    test "are read for each connection, so that new ones need no restart", %{
      certificates: old,
      other: new,
      tmp_dir: folder
    } do
      mutual = [verify: :verify_peer, fail_if_no_peer_cert: true] ++ @h2
      server = ScriptedServer.listen_tls(old.server ++ mutual)
      tls = write_files(sorted(old.client), folder)
      opts = [target: server.target, tls: tls, backoff: [initial: 1, jitter: 0]]
      channel = start_supervised!({Channel, opts})
      {connection, _fields} = assert_works(server, channel)

      # The server gets new certificates, and trusts new ones only; so does the client.
      write_files(sorted(new.client), folder)
      ScriptedServer.stop_listening(server)
      {:ok, socket} = listen_again(server, new.server ++ mutual)
      ScriptedServer.close(connection)

      connection = accept_http2(%{server | socket: socket})
      opts = [wait_for_ready: true]
      call = Task.async(fn -> Channel.unary(channel, "/p.S/M", "x", opts) end)
      {1, _fields, "x"} = read_call(connection)
      write(connection, Wire.response(1, "y"))
      assert Task.await(call) == {:ok, "y", []}
    end

    defp listen_again(server, tls) do
      opts = [:binary, active: false, reuseaddr: true, ip: {127, 0, 0, 1}, log_level: :none]
      :ssl.listen(server.port, opts ++ tls)
    end

    test "that do not go together are refused at the start", %{
      certificates: certificates,
      other: other,
      tmp_dir: folder
    } do
      tls = write_files(sorted(certificates.client), folder)
      elsewhere = Path.join(folder, "other")
      File.mkdir!(elsewhere)
      others = write_files(sorted(other.client), elsewhere)

      assert refusal(Keyword.put(tls, :keyfile, others[:keyfile])) =~
               "keyfile: the key does not belong to the certificate in certfile"

      assert refusal(Keyword.put(tls, :certfile, tls[:keyfile])) =~
               "certfile: there is no certificate in"

      assert refusal(Keyword.put(tls, :keyfile, tls[:certfile])) =~
               "keyfile: there is no private key in"

      assert refusal(cacertfile: Path.join(folder, "none.pem")) =~ "no such file or directory"
    end

    test "with a key that is encrypted need its password", %{
      certificates: certificates,
      tmp_dir: folder
    } do
      tls = write_files(sorted(certificates.client), folder)
      {type, der} = certificates.client[:key]
      key = :public_key.der_decode(type, der)
      cipher = {'AES-128-CBC', :crypto.strong_rand_bytes(16)}
      entry = :public_key.pem_entry_encode(type, key, {cipher, 's3cret'})
      File.write!(tls[:keyfile], :public_key.pem_encode([entry]))

      assert refusal(tls) =~ "is encrypted: give the option password"
      wrong = refusal(tls ++ [password: "s3cre7"])
      assert wrong =~ "the password does not open the key"
      refute wrong =~ "s3cre"

      for password <- ["s3cret", 's3cret', fn -> "s3cret" end] do
        assert {:ok, loaded} = SynapseBridge.Transport.TLS.Files.load(tls ++ [password: password])
        assert loaded[:key] == {type, der}
      end
    end

    defp refusal(tls) do
      error =
        assert_raise ArgumentError, fn -> Channel.start_link(target: "localhost:1", tls: tls) end

      assert Exception.message(error) =~ "channel option :tls: "
      Exception.message(error)
    end

    test "and options that ssl does not know are refused at the start" do
      assert refusal(cacertfil: "ca.pem") =~ "did you mean :cacertfile?"
      assert refusal(["ca.pem"]) =~ "expected true, false or a keyword list"
    end
  end
end
