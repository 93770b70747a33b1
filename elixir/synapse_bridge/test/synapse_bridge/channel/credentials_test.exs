defmodule SynapseBridge.Channel.CredentialsTest do
  use ExUnit.Case, async: true

  import SynapseBridge.ScriptedServer, only: [accept_http2: 1, read_call: 1, write: 2]

  alias SynapseBridge.{Channel, ScriptedServer, Status, Wire}
  alias SynapseBridge.Channel.Options

  @moduletag :capture_log
  @secret "s3cret-t0ken"

  defp start(opts) do
    server = ScriptedServer.listen()
    channel = start_supervised!({Channel, [target: server.target] ++ opts}, id: make_ref())
    {channel, accept_http2(server)}
  end

  defp authorization(channel, connection, opts \\ []) do
    call = Task.async(fn -> Channel.unary(channel, "/p.S/M", "x", opts) end)
    {id, fields, "x"} = read_call(connection)
    write(connection, Wire.response(id, "y"))
    assert Task.await(call) == {:ok, "y", []}
    fields["authorization"]
  end

  test "a token goes with every call" do
    {channel, connection} = start(credentials: {:bearer, @secret})
    assert authorization(channel, connection) == "Bearer " <> @secret
  end

  test "a function is asked for each call, where it is made" do
    {:ok, counter} = Agent.start_link(fn -> 0 end)
    token = fn -> {:ok, "token-#{Agent.get_and_update(counter, &{&1 + 1, &1 + 1})}"} end
    {channel, connection} = start(credentials: {:bearer, token})
    assert authorization(channel, connection) == "Bearer token-1"
    assert authorization(channel, connection) == "Bearer token-2"
  end

  test "a call may have others" do
    {channel, connection} = start(credentials: {:bearer, @secret})
    opts = [credentials: {:bearer, fn -> "other" end}]
    assert authorization(channel, connection, opts) == "Bearer other"
  end

  test "without a token there is no call" do
    {channel, connection} = start(credentials: {:bearer, fn -> {:error, "the vault is shut"} end})

    assert {:error, %Status{code: 16, message: message}} = Channel.unary(channel, "/p.S/M", "x")
    assert message == "there is no token for the call: the vault is shut"
    ScriptedServer.assert_silent(connection)
  end

  test "a token that is none is refused, and not shown" do
    for token <- [@secret <> "\n", "", "ü" <> @secret, "a b"] do
      error =
        assert_raise ArgumentError, fn ->
          Channel.start_link(target: "localhost:1", credentials: {:bearer, token})
        end

      assert Exception.message(error) =~ "option :credentials: the token has a character"
      refute Exception.message(error) =~ @secret
    end

    assert_raise ArgumentError, ~r/expected {:bearer, token}/, fn ->
      Channel.start_link(target: "localhost:1", credentials: @secret)
    end
  end

  describe "without TLS" do
    for {title, targets} <- [
          {"another machine", ["10.0.0.1:1"]},
          {"a name", ["example.org:1"]},
          {"one other machine among several", ["localhost:1", "dns:example.org:1"]}
        ] do
      @targets targets
      test "they do not go to #{title}" do
        opts = [targets: @targets, credentials: {:bearer, @secret}]
        error = assert_raise ArgumentError, fn -> Channel.start_link(opts) end
        assert Exception.message(error) =~ "channel option :credentials: whoever is on the way to"
        assert Exception.message(error) =~ "allow_insecure: true"
        assert %{} = Options.new!([allow_insecure: true] ++ opts)
        assert %{} = Options.new!([tls: true] ++ opts)
      end
    end

    test "nor do those of a call" do
      channel = start_supervised!({Channel, target: "192.0.2.1:1"})
      opts = [credentials: {:bearer, @secret}]

      assert {:error, %Status{code: 16, message: message}} =
               Channel.unary(channel, "/p.S/M", "x", opts)

      assert message =~ "call option :credentials: whoever is on the way to 192.0.2.1:1"
    end
  end

  describe "nothing secret is printed" do
    @opts [
      target: "localhost:1",
      credentials: {:bearer, @secret},
      tls: [password: @secret, verify: :verify_none]
    ]

    test "of options" do
      options = Options.new!(@opts)
      refute inspect(options) =~ @secret
      assert inspect(options) =~ "credentials: :redacted"
      assert inspect(options) =~ "pool_size: 1"
    end

    test "of a child specification, also as Erlang prints it" do
      env = [{"TOKEN", @secret}]

      for opts <- [@opts, [server: [command: ["/bin/sh"], env: env]]] do
        spec = Channel.child_spec(opts)
        refute inspect(spec) =~ @secret
        refute to_string(:io_lib.format("~p", [spec])) =~ @secret
      end
    end

    test "of a server, whose variables are still given to it" do
      %{start: {_, _, [opts]}} =
        Channel.child_spec(server: [command: ["/bin/sh"], env: %{"A" => "b"}])

      options = Options.new!(opts)
      assert options.server.env.() == [{"A", "b"}]
      refute inspect(options) =~ ~s("b")
    end

    test "of metadata that is not allowed" do
      {channel, _connection} = start([])
      opts = [metadata: [{"x-key", @secret <> "\n"}]]

      assert {:error, %Status{code: 3, message: message}} =
               Channel.unary(channel, "/p.S/M", "x", opts)

      refute message =~ @secret
    end
  end
end
