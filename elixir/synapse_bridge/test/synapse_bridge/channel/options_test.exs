defmodule SynapseBridge.Channel.OptionsTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Channel
  alias SynapseBridge.Channel.{Backoff, Options}

  test "only a target is required" do
    options = Options.new!(target: "localhost:50051")
    assert [%{port: 50_051}] = options.targets

    assert %{tls: false, timeout: 60_000, wait_for_ready: false, max_response_size: 67_108_864} =
             options

    assert options.backoff == %{initial: 1_000, max: 120_000, multiplier: 1.6, jitter: 0.2}
    assert Options.new!(target: "localhost:1", tls: true).tls == []
  end

  for {title, opts, text} <- [
        {"no target", [], ~s(needs the option :target, like target: "localhost:50051")},
        {"a bad target", [target: "localhost"], "has no port"},
        {"two kinds of target", [target: "a:1", targets: ["b:1"]],
         "only one of the options :target, :targets and :server"},
        {"no targets", [targets: []], "expected a list of targets"},
        {"a bad target among others", [targets: ["a:1", "b"]], ~s("b" has no port)},
        {"an empty pool", [target: "a:1", pool_size: 0], "expected a positive integer"},
        {"an unknown balance", [target: "a:1", balance: :random],
         "expected :round_robin or :least_loaded, got :random"},
        {"no keyword list", ["a:1"], "expected a keyword list"},
        {"an unknown option", [target: "a:1", time_out: 5], "did you mean :timeout?"},
        {"a wrong timeout", [target: "a:1", timeout: -1],
         "expected milliseconds or :infinity, got -1"},
        {"a wrong name", [target: "a:1", name: "x"], ~s(expected an atom, got "x")},
        {"a wrong tls", [target: "a:1", tls: :yes], "expected true, false or a keyword list"},
        {"a wrong size", [target: "a:1", max_response_size: 0], "expected a positive integer"},
        {"a wrong flag", [target: "a:1", wait_for_ready: nil], "expected true or false"},
        {"an unknown backoff", [target: "a:1", backoff: [inital: 5]], "did you mean :initial?"},
        {"a backoff that shrinks", [target: "a:1", backoff: [multiplier: 0.5]],
         "option :multiplier: expected a number of at least 1, got 0.5"},
        {"a backoff that is no number", [target: "a:1", backoff: [max: :infinity]],
         "option :max: expected a number of at least 1, got :infinity"}
      ] do
    @opts opts
    @text text
    test "#{title} raises, and says what to write" do
      error = assert_raise ArgumentError, fn -> Channel.start_link(@opts) end
      assert Exception.message(error) =~ @text
    end
  end

  test "every option is documented with its default" do
    docs = Options.docs()

    for name <- [:target | Map.keys(Options.new!(target: "a:1")) -- [:__struct__]],
        do: assert(docs =~ "`:#{name}` - ")

    assert docs =~ "Default: `60000`"
  end

  test "a channel's child has its name as id, so that several may stand beside each other" do
    assert %{id: A, start: {Channel, :start_link, [[name: A, target: "a:1"]]}} =
             Channel.child_spec(name: A, target: "a:1")
  end

  describe "backoff" do
    @settings %{initial: 1_000, max: 120_000, multiplier: 1.6, jitter: 0.2}

    test "grows by the multiplier up to the maximum" do
      assert for(n <- 1..4, do: Backoff.delay(@settings, n, 0.5)) == [1_000, 1_600, 2_560, 4_096]
      assert Backoff.delay(@settings, 12, 0.5) == 120_000
      assert Backoff.delay(@settings, 1_000_000, 0.5) == 120_000
    end

    test "varies by the jitter both ways" do
      assert Backoff.delay(@settings, 1, 0.0) == 800
      assert Backoff.delay(@settings, 1, 1.0) == 1_200
      assert Backoff.delay(@settings, 1) in 800..1_200
    end
  end
end
