defmodule SynapseBridge.Channel.MisconfigurationTest do
  # What a person may get wrong outside of the program: each is refused when the channel starts, by
  # the option's name and with what was expected, and no secret is told.
  use ExUnit.Case, async: true

  alias SynapseBridge.{Certificates, Channel, Server}
  alias SynapseBridge.Channel.Options

  @moduletag :tmp_dir
  @moduletag :capture_log
  @secret "hunter2"

  setup_all do
    mine = Certificates.make().client
    other = Certificates.make().client

    files = %{
      "cert.pem" => pem(:Certificate, mine[:cert]),
      "key.pem" => key(mine),
      "other.pem" => key(other),
      "broken.pem" => "-----BEGIN CERTIFICATE-----\n#{@secret}\n-----END CERTIFICATE-----\n",
      "text.pem" => @secret
    }

    %{files: files}
  end

  setup %{files: files, tmp_dir: folder} do
    for {name, text} <- files, do: File.write!(Path.join(folder, name), text)
    :ok
  end

  defp key(options) do
    {type, der} = options[:key]
    pem(type, der)
  end

  defp pem(type, der), do: :public_key.pem_encode([{type, der, :not_encrypted}])

  # In the options, {:file, name} stands for a file of the test's folder.
  for {title, options, texts} <- [
        {"an unknown option", [target: "localhost:1", tiemout: 5],
         ["channel option :tiemout is unknown", "did you mean :timeout?"]},
        {"an unknown option of an option", [target: "localhost:1", keepalive: [intervall: 5]],
         ["channel option :keepalive", "did you mean :interval?"]},
        {"a host that does not resolve", [target: "nowhere.invalid:50051"],
         [
           "channel option :target: the host name \"nowhere.invalid\" does not resolve",
           "expected a name or an address that is known here",
           "\"dns:nowhere.invalid:50051\""
         ]},
        {"one of them that does not", [targets: ["localhost:1", "nowhere.invalid:50051"]],
         ["channel option :targets: the host name \"nowhere.invalid\" does not resolve"]},
        {"a port that is none", [target: "localhost:99999"],
         ["channel option :target", "is not like \"localhost:50051\""]},
        {"TLS that is not set", [target: "localhost:1", tls: nil],
         ["channel option :tls: expected true, false or a keyword list"]},
        {"an authority that is not set", [target: "localhost:1", tls: [cacertfile: nil]],
         ["channel option :tls: cacertfile: expected a value, got nil"]},
        {"a token that is not set", [target: "localhost:1", credentials: {:bearer, nil}],
         ["channel option :credentials: expected {:bearer, token}"]},
        {"a certificate that is missing", [target: "localhost:1", tls: [certfile: {:file, "no"}]],
         ["channel option :tls: certfile:", "no such file or directory"]},
        {"a certificate that is a folder", [target: "localhost:1", tls: [certfile: {:file, ""}]],
         ["channel option :tls: certfile:", "illegal operation on a directory"]},
        {"a certificate that is none",
         [target: "localhost:1", tls: [certfile: {:file, "text.pem"}]],
         ["channel option :tls: certfile: there is no certificate in"]},
        {"an authority that is broken",
         [target: "localhost:1", tls: [cacertfile: {:file, "broken.pem"}]],
         ["channel option :tls: cacertfile:"]},
        {"a key of another certificate",
         [
           target: "localhost:1",
           tls: [certfile: {:file, "cert.pem"}, keyfile: {:file, "other.pem"}]
         ],
         ["channel option :tls: keyfile: the key does not belong to the certificate in certfile"]},
        {"a token with a line's end",
         [target: "localhost:1", credentials: {:bearer, @secret <> "\n"}],
         ["channel option :credentials: the token has a character that no bearer token has"]},
        {"a token for anybody to read",
         [target: "192.0.2.1:50051", credentials: {:bearer, @secret}],
         ["channel option :credentials: whoever is on the way", "set tls: true"]},
        {"a server's file that is missing", [server: [pex: "nowhere.pex"]],
         ["channel option :server", "there is no file \"nowhere.pex\""]},
        {"a server's variable that is none",
         [server: [command: ["/bin/sh"], env: [{:TOKEN, @secret}]]],
         ["channel option :server", "option :env"]}
      ] do
    @options options
    @texts texts
    test "#{title} is refused by the option's name", %{tmp_dir: folder} do
      error = assert_raise ArgumentError, fn -> Channel.start_link(located(@options, folder)) end
      for text <- @texts, do: assert(Exception.message(error) =~ text)
      refute Exception.message(error) =~ @secret
    end
  end

  # Each option of a channel and of a server, and those within them, by the names that lead there.
  defp paths do
    names = Map.keys(Options.new!(target: "a:1")) -- [:__struct__]

    for({name, row} <- Options.rows([:target | names]), path <- below(name, row[:type]), do: path) ++
      for {name, row} <- Server.Options.rows(),
          [name | rest] <- below(name, row[:type]),
          do: [:server, name | rest]
  end

  defp below(name, {kind, schema}) when kind in [:options, :switch],
    do: [
      [name] | for({inner, row} <- schema, path <- below(inner, row[:type]), do: [name | path])
    ]

  defp below(name, _type), do: [[name]]

  test "a value of no type at all is refused by the name of each option, and shown of none that is secret" do
    paths = paths()
    assert [:keepalive, :interval] in paths and [:server, :backoff, :max] in paths

    for path <- paths do
      [first | inner] = path
      base = if first in [:target, :targets, :server], do: [], else: [target: "localhost:1"]
      given = Enum.reduce(Enum.reverse(inner), {:wrong, @secret}, &[{&1, &2}])
      options = [{first, given} | base]
      error = assert_raise ArgumentError, fn -> Channel.start_link(options) end
      message = Exception.message(error)
      assert message =~ Enum.map_join(path, ".*", &"option #{inspect(&1)}: ") |> Regex.compile!()
      assert message =~ ~r/expected|is a string like/, message
      if first in [:tls, :credentials] or :env in path, do: refute(message =~ @secret)
    end
  end

  defp located({:file, name}, folder), do: Path.join(folder, name)
  defp located({name, value}, folder), do: {name, located(value, folder)}
  defp located(list, folder) when is_list(list), do: Enum.map(list, &located(&1, folder))
  defp located(value, _folder), do: value

  test "a name may come later, where the options say so" do
    for options <- [
          [target: "dns:nowhere.invalid:1"],
          [target: "nowhere.invalid:1", wait_for_ready: true]
        ],
        do: start_supervised!({Channel, options}, id: make_ref())
  end
end
