defmodule ScalarsTest do
  @moduledoc "Dates, identifiers, secrets, numbers of any size, any value: both ways and exactly."

  use ExUnit.Case

  import Integration.Refused

  alias Integration.{Money, Server}
  alias Scalars.Everything
  alias SynapseBridge.{Bytes, Error, Tensor}

  setup_all do
    start_supervised!({Scalars, Server.channel()})
    :ok
  end

  defp assert_misfit(answer, words) do
    assert {:error, %Error{code: :internal, message: message}} = answer
    for word <- words, do: assert(message =~ word)
  end

  describe "datetime" do
    test "is exact to the microsecond, before 1970 and to the year 9999" do
      for value <- [
            ~U[0001-01-01 00:00:00.000000Z],
            ~U[1969-12-31 23:59:59.999999Z],
            ~U[1970-01-01 00:00:00.000000Z],
            ~U[2024-02-29 12:30:00.000001Z],
            ~U[9999-12-31 23:59:59.999999Z]
          ] do
        assert Scalars.echo_datetime(value) == {:ok, value}
      end
    end

    test "is calculated with" do
      assert Scalars.later(~U[2024-02-28 00:00:00.000000Z]) ==
               {:ok, ~U[2024-02-29 00:00:00.000000Z]}

      assert Scalars.later(~U[1970-01-01 00:00:00.000000Z], by: -1) ==
               {:ok, ~U[1969-12-31 23:59:59.999999Z]}
    end

    test "refuses what is no instant of its range" do
      for value <- [~N[2024-05-01 00:00:00], ~D[2024-05-01], "2024-05-01T00:00:00Z", 0, nil] do
        assert_refused(Scalars.echo_datetime(value), "value")
      end
    end

    test "that Python makes naive, or leaves its years, is told" do
      assert_misfit(Scalars.misfit_datetime("naive"), ["result: ", "time zone"])
      assert_misfit(Scalars.misfit_datetime("year 0"), ["years 1 to 9999"])
    end
  end

  describe "wall clock, date, time and timedelta" do
    test "are exact" do
      for value <- [~N[0001-01-01 00:00:00.000000], ~N[9999-12-31 23:59:59.999999]] do
        assert Scalars.echo_wall(value) == {:ok, value}
      end

      for value <- [~D[0001-01-01], ~D[2024-02-29], ~D[9999-12-31]] do
        assert Scalars.echo_date(value) == {:ok, value}
      end

      for value <- [~T[00:00:00.000000], ~T[23:59:59.999999]] do
        assert Scalars.echo_time(value) == {:ok, value}
      end

      for value <- [0, -1, 1, -1_000_001, 315_576_000_000_000_000, -315_576_000_000_000_000] do
        assert Scalars.echo_timedelta(value) == {:ok, value}
      end
    end

    test "refuse what they are not" do
      assert_refused(Scalars.echo_date(~U[2024-05-01 00:00:00Z]), "value")
      assert_refused(Scalars.echo_date(Date.new!(0, 1, 1)), "value")
      assert_refused(Scalars.echo_time("12:00"), "value")
      assert_refused(Scalars.echo_wall(~U[2024-05-01 00:00:00Z]), "value")
      assert_refused(Scalars.echo_timedelta(1.5), "value")
      assert_refused(Scalars.echo_timedelta(315_576_000_000_000_001), "value")
    end

    test "that Python makes something else are told" do
      assert_misfit(Scalars.misfit_date(), ["no datetime"])
      assert_misfit(Scalars.misfit_timedelta(), ["seconds"])
    end
  end

  describe "text that stands for something" do
    test "comes back" do
      id = "12345678-1234-5678-1234-567812345678"
      assert Scalars.echo_uuid(id) == {:ok, id}
      assert Scalars.echo_path("/srv/été") == {:ok, "/srv/été"}

      assert Scalars.echo_url("https://example.org/a?b=c#d") ==
               {:ok, "https://example.org/a?b=c#d"}

      assert Scalars.echo_email("a@example.org") == {:ok, "a@example.org"}
      assert Scalars.echo_ip("192.168.0.1") == {:ok, "192.168.0.1"}
      assert Scalars.echo_ip("2001:db8::1") == {:ok, "2001:db8::1"}
      assert Scalars.echo_network("10.0.0.0/8") == {:ok, "10.0.0.0/8"}
      assert Scalars.echo_regex("(?i)^a+$") == {:ok, "(?i)^a+$"}
    end

    test "is refused where it stands for nothing" do
      assert_refused(Scalars.echo_uuid("1234"), "value")
      assert_refused(Scalars.echo_url("no address"), "value")
      assert_refused(Scalars.echo_email("nobody"), "value")
      assert_refused(Scalars.echo_ip("1.2.3"), "value")
      assert_refused(Scalars.echo_network("10.0.0.0/33"), "value")
      assert_refused(Scalars.echo_regex("("), "value")
    end

    test "that does not say all is told" do
      assert_misfit(Scalars.misfit_regex(), ["flags"])
    end
  end

  describe "numbers" do
    test "of any size" do
      for value <- [0, -1, 2 ** 63, -(2 ** 64), 10 ** 5_000, -(7 ** 20_000)] do
        assert Scalars.echo_bigint(value) == {:ok, value}
      end

      assert_refused(Scalars.echo_bigint(1.0), "value")
    end

    test "of any precision" do
      for text <- ["0", "-0.00", "1.50", "123456789012345678901234567890.5", "1E-30", "NaN"] do
        assert {:ok, value} = Scalars.echo_decimal(text)
        assert to_string(value) == text
      end

      assert_refused(Scalars.echo_decimal("1.5.0"), "value")
    end

    test "of bytes, by the schema of their class" do
      assert Scalars.echo_size(1_048_576) == {:ok, 1_048_576}
      assert_refused(Scalars.echo_size(-1), "value")
    end

    test "of flags" do
      for value <- [0, 1, 3, 11], do: assert(Scalars.echo_permission(value) == {:ok, value})
      for value <- [4, -1, 16], do: assert_refused(Scalars.echo_permission(value), "value")
    end
  end

  describe "a secret" do
    test "comes back" do
      assert Scalars.echo_secret("geheim") == {:ok, "geheim"}
    end

    test "is in no violation, no error and no log" do
      secret = "hunter2-correct-horse"
      assert {:error, %Error{} = error} = Scalars.echo_secret(secret)
      refute inspect(error) =~ secret
      refute Exception.message(error) =~ secret

      assert {:error, %Error{} = error} = Scalars.fail_with_secret(secret)
      refute inspect(error) =~ secret
      assert Server.logged?("ValidationError")
      refute Server.logged?(secret)
    end

    test "does not show in a struct" do
      refute inspect(everything()) =~ "geheim"
      refute inspect(everything()) =~ "Schlüssel"
    end
  end

  describe "any value" do
    test "keeps what it is" do
      for value <- [
            nil,
            true,
            0,
            -1,
            2 ** 63,
            -(10 ** 40),
            1.0,
            -0.5,
            :nan,
            :infinity,
            :negative_infinity,
            "",
            "é",
            %Bytes{data: <<0, 255>>},
            [],
            %{},
            [1, 1.0, "1", nil, [true], %{"a" => [%{}]}]
          ] do
        assert Scalars.echo_any(value) == {:ok, value}
      end
    end

    test "arrives in Python as what it is" do
      assert Scalars.describe([nil, true, 1, 1.0, 2 ** 63, "1", %Bytes{data: "1"}, %{"a" => []}]) ==
               {:ok, "[None, True, 1, 1.0, 9223372036854775808, '1', b'1', {'a': []}]"}
    end

    test "of JSON has no bytes" do
      assert Scalars.echo_json(%{"a" => [1, nil]}) == {:ok, %{"a" => [1, nil]}}
      assert {:error, %Error{violations: [%{rule: rule}]}} = Scalars.echo_json(%Bytes{data: "1"})
      assert rule == "invalid-json-value"
    end

    test "refuses what Python has not" do
      assert_refused(Scalars.echo_any(%{"a" => [self()]}), ~s|value.a[0]|)
      assert_refused(Scalars.echo_any([<<255>>]), "value[0]")
      assert_refused(Scalars.echo_any({1, 2}), "value")
    end

    test "that Elixir has not is told with its place" do
      assert_misfit(Scalars.misfit_any("object"), ["result[0]", "got object"])
      assert_misfit(Scalars.misfit_any("tuple"), ["result.a[0]", "got tuple"])
      assert_misfit(Scalars.misfit_any("keys"), ["result[0]", "keys of text"])
      assert_misfit(Scalars.misfit_any("surrogate"), ["result[0]", "surrogates"])
      assert_misfit(Scalars.misfit_any("cyclic"), ["hold itself"])
      assert_misfit(Scalars.misfit_any("deep"), ["nest deeper"])
    end

    test "may nest as deep as the wire allows, and no deeper" do
      nested = fn depth -> Enum.reduce(1..depth, [], fn _, inner -> [inner] end) end
      assert {:ok, _} = Scalars.echo_any(nested.(40))
      assert {:error, %Error{code: :invalid_argument}} = Scalars.echo_any(nested.(100))
    end
  end

  describe "an array" do
    test "comes back, and is calculated with" do
      floats = for n <- [1.0, 2.0, 3.5, -1.0], into: <<>>, do: <<n::32-float-little>>
      {:ok, tensor} = Tensor.new("float32", [2, 2], floats)
      assert Scalars.echo_tensor(tensor) == {:ok, tensor}

      doubled = for n <- [2.0, 4.0, 7.0, -2.0], into: <<>>, do: <<n::32-float-little>>

      assert {:ok, %Tensor{dtype: "float32", shape: [2, 2], data: ^doubled}} =
               Scalars.scale(tensor)
    end

    test "is refused where shape and bytes differ" do
      wrong = %Tensor{dtype: "int8", shape: [3], data: <<1>>}
      assert_refused(Scalars.echo_tensor(wrong), "value")
    end
  end

  describe "a custom mapping" do
    test "has its own type on each side" do
      assert Scalars.pay(%Money{cents: 1000}, amount: %Money{cents: 250}) ==
               {:ok, %Money{cents: 750}}
    end

    test "refuses what its converter does, on each side" do
      assert_refused(Scalars.pay(1000), "balance")
      assert_refused(Scalars.pay(%Money{cents: -1}), "balance")

      assert {:error, %Error{violations: [violation]}} = Scalars.pay(%Money{cents: 1300})
      assert violation.path == "balance"
      assert violation.message =~ "nobody pays 13"
    end
  end

  describe "an annotation of the configuration" do
    test "holds in the server, also where the code has none" do
      assert Scalars.within("10.0.0.0/8", raw: 2) == {:ok, ["10.0.0.0", "10.0.0.1"]}
      assert_refused(Scalars.within("10.0.0.0/8", raw: 4), "raw")
      assert Scalars.add(2 ** 100, [1, 2]) == {:ok, 2 ** 100 + 3}
      assert_misfit(Scalars.add(1, [0.5]), ["result: ", "got float"])
    end

    test "leaves validators to the server" do
      assert Scalars.round_up(1.6) == {:ok, 2}
    end
  end

  test "what leaves Python is what serializers make of it" do
    masked = %Scalars.Masked{iban: "DE001234", ratio: 1.2345, at: "2024-05-01T12:30:00+02:00"}
    assert {:ok, %Scalars.Masked{} = seen} = Scalars.mask(masked)
    assert seen == %{masked | iban: "…1234", ratio: 1.23}

    assert_refused(Scalars.mask(%{masked | at: "tomorrow"}), "value.at")
  end

  test "everything at once" do
    assert {:ok, %Everything{} = back} = Scalars.echo(everything())
    assert to_string(back.amount) == "1.50"
    assert Enum.map(back.amounts, &to_string/1) == ["-0.10"]

    sent = %{everything() | amount: nil, amounts: []}
    assert %{back | amount: nil, amounts: []} == sent
  end

  test "defaults are Python's" do
    value = everything()
    assert value.since == ~U[2024-05-01 12:30:00.000000Z]
    assert value.timeout == 1_500_000
  end

  defp everything do
    %Everything{
      at: ~U[2024-05-01 12:30:00.123456Z],
      wall: ~N[2024-05-01 12:30:00.000000],
      day: ~D[2024-05-01],
      clock: ~T[12:30:00.000000],
      span: -5,
      id: "12345678-1234-5678-1234-567812345678",
      path: "/srv",
      url: "https://example.org/",
      email: "a@example.org",
      ip: "::1",
      network: "10.0.0.0/8",
      pattern: "a+",
      amount: "1.50",
      big: 2 ** 70,
      secret: "geheim",
      key: "Schlüssel",
      permission: 3,
      size: 5,
      price: %Money{cents: 5},
      value: %{"a" => [1, nil, %Bytes{data: <<255>>}]},
      tensor: %Tensor{dtype: "int16", shape: [2], data: <<1, 0, 2, 0>>},
      ats: [nil, ~U[1969-12-31 23:59:59.999999Z]],
      ids: %{"nil" => "00000000-0000-0000-0000-000000000000"},
      amounts: ["-0.10"],
      values: [nil, 1, 1.0, "a"],
      prices: %{"a" => %Money{cents: 0}},
      secrets: ["geheim"],
      maybe_day: ~D[1999-12-31],
      maybe_price: %Money{cents: 1}
    }
  end
end
