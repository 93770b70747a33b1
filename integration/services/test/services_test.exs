defmodule ServicesTest do
  use ExUnit.Case, async: true

  # ./pants test integration/services: two services, each with its server, behind one test.

  test "what one service answers is what another takes" do
    order = %{
      customer: %{id: 7, name: "Ada"},
      lines: [%{sku: "ABC-0001", quantity: 2}],
      reference: "order 7"
    }

    assert {:ok, %Shop.Pricing.Quote{} = quote} = Shop.Pricing.price(order, vip: true)

    receipt = %{
      title: quote.reference,
      root: %{title: "Total", spans: [%{text: "#{quote.total} cents", emphasis: :strong}]}
    }

    assert MyApp.Documents.to_markdown(receipt) ==
             {:ok, "# order 7\n\n## Total\n\n**3598 cents**"}
  end
end
