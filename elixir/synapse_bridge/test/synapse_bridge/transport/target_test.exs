defmodule SynapseBridge.Transport.TargetTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Transport.Target

  doctest Target

  test "what a target may be" do
    for {text, address, port, authority} <- [
          {"localhost:50051", {:name, "localhost"}, 50_051, "localhost:50051"},
          {"dns:example.org:443", {:dns, "example.org"}, 443, "example.org:443"},
          {"dns:///example.org:443", {:dns, "example.org"}, 443, "example.org:443"},
          {"127.0.0.1:1", {:ip, {127, 0, 0, 1}}, 1, "127.0.0.1:1"},
          {"ipv4:10.0.0.1:65535", {:ip, {10, 0, 0, 1}}, 65_535, "10.0.0.1:65535"},
          {"[::1]:80", {:ip, {0, 0, 0, 0, 0, 0, 0, 1}}, 80, "[::1]:80"},
          {"ipv6:[::1]:80", {:ip, {0, 0, 0, 0, 0, 0, 0, 1}}, 80, "[::1]:80"},
          {"unix:/run/x.sock", {:unix, "/run/x.sock"}, nil, "localhost"},
          {"unix:///run/x.sock", {:unix, "/run/x.sock"}, nil, "localhost"}
        ] do
      assert Target.parse(text) ==
               {:ok, %Target{address: address, port: port, authority: authority}}
    end
  end

  test "one address of a name keeps the name, for its certificate" do
    {:ok, target} = Target.parse("dns:example.org:443")
    assert to_string(target) == "dns:example.org:443"
    server = Target.at(target, {10, 0, 0, 1})

    assert %{address: {:ip, {10, 0, 0, 1}}, host: "example.org", authority: "example.org:443"} =
             server

    assert to_string(server) == "example.org:443 (10.0.0.1)"
  end

  test "what stays on this machine" do
    for {text, local?} <- [
          {"localhost:1", true},
          {"dns:localhost:1", true},
          {"127.3.2.1:1", true},
          {"[::1]:1", true},
          {"unix:/x", true},
          {"example.org:1", false},
          {"10.0.0.1:1", false},
          {"[::2]:1", false},
          {"0.0.0.0:1", false}
        ] do
      {:ok, target} = Target.parse(text)
      assert {text, Target.local?(target)} == {text, local?}
    end
  end

  test "what it may not be, and why" do
    for {target, text} <- [
          {"localhost", "has no port"},
          {"", "has no port"},
          {"localhost:", "is not like"},
          {"localhost:x", "is not like"},
          {"localhost:0", "is not like"},
          {"localhost:65536", "is not like"},
          {":50051", "is not like"},
          {"::1:50051", "is not like"},
          {"[::1]", "is not like"},
          {"[nonsense]:50051", "is not like"},
          {"http://localhost:50051", "looks like a URL"},
          {"unix:", "has no path"},
          {50_051, "is a string"}
        ] do
      assert {:error, message} = Target.parse(target)
      assert message =~ text
    end
  end
end
