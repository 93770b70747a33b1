defmodule SecurityTest do
  use ExUnit.Case

  @moduletag built_in: "certificates are an option of the library's own"

  import Integration.Eventually

  alias Integration.Server
  alias SynapseBridge.{Channel, Error}

  @moduletag :capture_log
  @alice %{name: "Alice", age: 30}
  @greeting {:ok, "Hello, Alice! You are 30 years old."}

  # The driver makes certificates: those that the server reads are in `now`, others in `next`.
  defp file(folder, name),
    do: Path.join([System.fetch_env!("SYNAPSE_CERTIFICATES"), folder, name])

  defp token(folder), do: File.read!(file(folder, "token"))

  defp tls(folder) do
    [
      cacertfile: file(folder, "ca.pem"),
      certfile: file(folder, "client.pem"),
      keyfile: file(folder, "client.key")
    ]
  end

  defp start(opts) do
    opts = Keyword.merge([target: Server.target(), backoff: [initial: 50, jitter: 0]], opts)
    start_supervised!({Channel, opts}, id: make_ref())
  end

  defp greet(channel, opts \\ []),
    do: MyPythonAgent.process_data(@alice, [channel: channel, timeout: 20_000] ++ opts)

  defp unavailable(opts) do
    assert {:error, %Error{code: :unavailable, message: message}} = greet(start(opts))
    message
  end

  # As tools do it: by renaming. After the test they are again what they were.
  defp replace(names) do
    for name <- names do
      before = File.read!(file("now", name))
      on_exit(fn -> put(name, before) end)
      put(name, File.read!(file("next", name)))
    end
  end

  defp put(name, content) do
    File.write!(file("now", name <> ".new"), content)
    File.rename!(file("now", name <> ".new"), file("now", name))
  end

  test "a certificate and a token open the server, and nothing less does" do
    channel = start(tls: tls("now"), credentials: {:bearer, token("now")})
    assert greet(channel) == @greeting

    for wrong <- [token("next"), String.slice(token("now"), 0..-2//1)] do
      assert {:error, %Error{code: :unauthenticated} = error} =
               greet(channel, credentials: {:bearer, wrong})

      refute inspect(error) =~ wrong
    end

    assert {:error, %Error{code: :unauthenticated}} = greet(start(tls: tls("now")))
    assert greet(channel) == @greeting
  end

  test "a client without a certificate, or with one of somebody else, is told so" do
    nobody = Keyword.take(tls("now"), [:cacertfile])
    stranger = Keyword.merge(tls("next"), nobody)

    for tls <- [nobody, stranger],
        do: assert(unavailable(tls: tls) =~ "it may want a certificate of ours")
  end

  test "a server that cannot be who was meant is told so" do
    "localhost:" <> port = Server.target()
    message = unavailable(target: "127.0.0.1:#{port}", tls: tls("now"))
    assert message =~ "not made out to 127.0.0.1"
    assert message =~ "(it is for localhost)"

    assert unavailable(tls: tls("next")) =~ "signed by an authority that is not trusted here"
    assert unavailable(tls: false) =~ "TLS"
  end

  test "certificates and tokens are replaced while both sides run" do
    # It reads the token where the server does, and its certificates for each connection.
    credentials = {:bearer, fn -> token("now") end}
    lasting = start(tls: tls("now"), credentials: credentials)
    assert greet(lasting) == @greeting

    replace(["ca.pem", "server.pem", "server.key", "tokens", "token"])
    # The connection that is there stays; tokens are of calls.
    assert eventually(fn -> greet(lasting) == @greeting end)
    newcomer = start(tls: tls("next"), credentials: credentials)
    assert eventually(fn -> greet(newcomer) == @greeting end)

    # Its own certificate is not good any more, which it learns where it connects again.
    replace(["client.pem", "client.key"])
    Server.stop()
    Server.start()
    assert greet(lasting, wait_for_ready: true) == @greeting
  end
end
