defmodule Shop.PricingTest do
  use ExUnit.Case

  alias Integration.{Docs, Server}
  alias Shop.Pricing
  alias Shop.Pricing.{Address, Customer, Line, Order, PricedLine, Quote, StockLevel}
  alias SynapseBridge.{Error, Violation}

  setup_all do
    start_supervised!({Pricing, Server.channel()})
    :ok
  end

  @order %{
    customer: %{id: 7, name: "Ada"},
    lines: [%{sku: "ABC-0001", quantity: 2}, %{sku: "ABC-0002", unit: :box}],
    reference: "order 7"
  }

  describe "price/2" do
    test "prices an order of maps, and answers with structs" do
      assert Pricing.price(@order) ==
               {:ok,
                %Quote{
                  reference: "order 7",
                  currency: :eur,
                  lines: [
                    %PricedLine{
                      line: %Line{sku: "ABC-0001", quantity: 2},
                      unit_price: 1999,
                      total: 3998
                    },
                    %PricedLine{
                      line: %Line{sku: "ABC-0002", unit: :box},
                      unit_price: 3000,
                      total: 3000
                    }
                  ],
                  subtotal: 6998,
                  discount: 0,
                  total: 6998,
                  by_sku: %{"ABC-0001" => 3998, "ABC-0002" => 3000},
                  shipping_days: 3,
                  warnings: ["no shipping address"]
                }}
    end

    test "takes structs, and models inside models" do
      address = %Address{street: "Hauptstraße 1", city: "Köln", postal_code: "50667"}

      order = %Order{
        customer: %Customer{id: 1, name: "Grace", addresses: [address]},
        lines: [%Line{sku: "XYZ-1000"}],
        ship_to: address,
        currency: :jpy,
        priority: :low
      }

      assert {:ok, %Quote{currency: :jpy, warnings: [], shipping_days: nil}} =
               Pricing.price(order)
    end

    test "fills in what Python's default_factory makes" do
      order = Map.delete(@order, :reference)
      references = for _ <- 1..3, do: Pricing.price!(order).reference
      assert Enum.all?(references, &(&1 =~ ~r/\A[0-9a-f]{32}\z/))
      assert length(Enum.uniq(references)) == 3
    end

    test "takes keyword-only parameters as options" do
      assert Pricing.price!(@order, vip: true).total == 6298
      assert Pricing.price!(@order, rounding: 500).total == 6500
      assert Pricing.price!(@order, vip: true, rounding: 100, timeout: 5_000).total == 6200
    end

    test "applies discounts in order" do
      discounts = [
        %{code: "TEN", percent: 10},
        %{code: "BIG", percent: 50.0, minimum: 1_000_000}
      ]

      assert {:ok, %Quote{total: 6298, discount: 700}} =
               Pricing.price(Map.put(@order, :discounts, discounts))
    end

    test "shows Python's defaults in the struct" do
      assert %Order{currency: :eur, priority: :normal, tags: ["web"], ship_to: nil} =
               Order.new!(@order)

      assert %Line{quantity: 1, unit: :piece, options: %{}} = %Line{sku: "ABC-0001"}
      assert %Customer{newsletter: false, email: nil, addresses: []} = %Customer{id: 1, name: "A"}
    end
  end

  @wrong %{
    customer: %{name: "", email: "nobody"},
    lines: [%{sku: "ABC-1", quantity: 0}, %{sku: "ABC-0001", unit: :crate, gift_message: 5}],
    currency: "GBP",
    ship_to: %{street: "", city: "X", postal_code: "12", country: "Germany"},
    discounts: [%{code: "AB", percent: 100}],
    attributes: %{"size" => 1, "the weight" => "2"}
  }

  @violations [
    {"order.attributes[\"the weight\"]", "int_type"},
    {"order.currency", "enum"},
    {"order.customer.email", "string_pattern_mismatch"},
    {"order.customer.id", "missing"},
    {"order.customer.name", "string_too_short"},
    {"order.discounts[0].code", "string_too_short"},
    {"order.discounts[0].percent", "less_than"},
    {"order.lines[0].quantity", "greater_than_equal"},
    {"order.lines[0].sku", "string_pattern_mismatch"},
    {"order.lines[1].gift_message", "string_type"},
    {"order.lines[1].unit", "literal_error"},
    {"order.ship_to.country", "string_pattern_mismatch"},
    {"order.ship_to.postal_code", "string_too_short"},
    {"order.ship_to.street", "string_too_short"}
  ]

  test "every violation is listed, and nothing is sent" do
    assert {:error, %Error{code: :invalid_argument, violations: violations}} =
             Pricing.price(@wrong, rounding: 0, channel: :nowhere)

    assert Enum.sort(for v <- violations, do: {v.path, v.rule}) ==
             Enum.sort([{"rounding", "greater_than_equal"} | @violations])

    assert Enum.all?(violations, &(&1.message != ""))
  end

  test "a list has its bounds" do
    assert {:error, %Error{violations: [%Violation{path: "order.lines", rule: "too_short"}]}} =
             Pricing.price(%{@order | lines: []})

    lines = List.duplicate(%{sku: "ABC-0001"}, 101)

    assert {:error, %Error{violations: [%Violation{path: "order.lines", rule: "too_long"}]}} =
             Pricing.price(%{@order | lines: lines})
  end

  describe "other shapes of functions" do
    test "no parameters, no result" do
      assert Pricing.ping() == :ok
      assert Pricing.ping!() == :ok
      assert Pricing.article_count() == {:ok, 3}
    end

    test "a map of models, with a list of models as an option" do
      assert {:ok, quotes} =
               Pricing.prices(%{"one" => @order, "two words" => @order},
                 common_discounts: [%{code: "TEN", percent: 10.0}]
               )

      assert %{"one" => %Quote{total: 6298}, "two words" => %Quote{total: 6298}} = quotes
      assert Pricing.prices(%{}) == {:ok, %{}}
    end

    test "an optional result" do
      assert Pricing.cheapest([]) == {:ok, nil}

      assert {:ok, %Line{sku: "ABC-0002"}} =
               Pricing.cheapest([%{sku: "XYZ-1000"}, %{sku: "ABC-0002"}])
    end

    test "an enum, required and with a default" do
      assert Pricing.convert(1_000, :usd) == {:ok, 1_100.0}
      assert Pricing.convert(16_000, "EUR", source: :jpy) == {:ok, 100.0}
    end

    test "a map of dataclasses" do
      assert Pricing.stock(["ABC-0001"]) ==
               {:ok,
                %{
                  "ABC-0001" => %StockLevel{
                    sku: "ABC-0001",
                    by_warehouse: %{"Berlin" => 7, "Zürich" => 0},
                    backorder_days: nil,
                    alternatives: []
                  }
                }}

      assert {:ok, %{"ABC-0001" => %StockLevel{backorder_days: 5}}} =
               Pricing.stock(["ABC-0001"], warehouse: "Zürich")
    end

    test "None differs from a default that is not None" do
      ada = %{id: 1, name: "Ada"}
      assert Pricing.greet(ada) == {:ok, "Dear Ada"}
      assert Pricing.greet(ada, salutation: nil) == {:ok, "Ada"}
      assert Pricing.greet(ada, salutation: "") == {:ok, " Ada"}
    end

    test "a required keyword-only parameter is a required option" do
      assert Pricing.approve(@order, approver: "Grace") == {:ok, true}
      assert Pricing.approve(@order, approver: "Grace", limit: 1) == {:ok, false}
      assert Pricing.approve(@order, approver: "Grace", limit: nil) == {:ok, true}

      assert {:error, %Error{violations: [%Violation{path: "approver", rule: "missing"}]}} =
               Pricing.approve(@order, limit: 1)
    end

    test "a result of None is :ok" do
      assert Pricing.reserve("ABC-0001", 7) == :ok
    end
  end

  test "a docstring in Google's style is Markdown" do
    doc = Docs.of(Pricing, :price)
    assert doc =~ "Prices an order.\n\nDiscounts apply in the given order"
    assert doc =~ ~r/\* `order` .*What to price\./
    assert doc =~ ~r/\* `:rounding` .*default `1`.*Totals are rounded down/
    assert doc =~ ~r/\* `Shop\.Pricing\.UnknownArticle` .*does not sell/
    refute doc =~ "Args:"
  end

  describe "exceptions" do
    test "are Elixir exceptions where they are declared" do
      assert {:error, %Pricing.OutOfStock{sku: "ABC-0001", missing: 1}} =
               Pricing.reserve("ABC-0001", 8)

      assert {:error, %Pricing.UnknownArticle{message: "no article QQQ-0000"}} =
               Pricing.reserve("QQQ-0000", 1)
    end

    test "have the code of their kind" do
      for {key, code} <- [
            {"private", :permission_denied},
            {"future", :unimplemented},
            {"slow", :deadline_exceeded}
          ] do
        assert {:error, %Error{code: ^code, violations: []}} = Pricing.lookup(key)
      end
    end

    test "that nobody expected keep their text on the server" do
      assert {:error, %Error{code: :internal} = error} = Pricing.lookup("secret")
      assert error.reason == "builtins.RuntimeError"
      refute inspect(error, limit: :infinity) =~ "hunter2"
      assert Server.logged?("hunter2")
    end

    test "are raised by the function with a bang" do
      assert_raise Error, fn -> Pricing.lookup!("secret") end
    end

    test "do not harm the server" do
      assert Pricing.lookup("key") == {:ok, "key"}
    end
  end

  describe "a result that is not what the function promised" do
    test "is an error that says where, and is never sent as something else" do
      assert Pricing.receipt_total(~s({"total": 5})) == {:ok, 5}

      for wrong <- [~s("5"), "null", "5.5", "[5]", "true", "9223372036854775808"] do
        assert {:error, %Error{code: :internal} = error} =
                 Pricing.receipt_total(~s({"total": #{wrong}}))

        assert Exception.message(error) =~ "result"
      end
    end
  end
end
