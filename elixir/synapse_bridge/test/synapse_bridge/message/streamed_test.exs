defmodule SynapseBridge.Message.StreamedTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Violation

  defmodule Item do
    use SynapseBridge.Message

    message do
      field :sku, 1, :string, required: true, min_length: 1
    end
  end

  defmodule Request do
    use SynapseBridge.Message

    message do
      field :items, 1, {:message, Item}, streamed: true, name: "all_items"
      field :limit, 2, :int64, required: true, ge: 0
    end
  end

  defmodule Numbers do
    use SynapseBridge.Message

    message do
      field :numbers, 3, {:wrapped, {:nullable, {:int64, ge: 0}}}, streamed: true
    end
  end

  defmodule Failed do
    use SynapseBridge.Message, exception: true

    message do
      field :sku, 1, :string, required: true
      field :left, 2, :int64, default: 0
    end
  end

  defmodule Worded do
    use SynapseBridge.Message, exception: true

    message do
      field :message, 1, {:list, :string}, required: true
    end
  end

  defp bytes(iodata), do: IO.iodata_to_binary(iodata)

  describe "a streamed field" do
    test "is absent in a message that brings no item, whatever the others are" do
      assert {:ok, request} = Request.new(limit: 3)
      assert bytes(Request.encode(request)) == <<16, 3>>
    end

    test "is written alone for an item, without the fields that are required" do
      assert {:ok, io} = Request.__item__(%{sku: "a"}, 0)
      assert bytes(io) == <<10, 3, 10, 1, "a">>
      assert {:ok, io} = Request.__item__(%Item{sku: "b"}, 7)
      assert bytes(io) == <<10, 3, 10, 1, "b">>
    end

    test "has nil as an item where that is a value, and else not" do
      assert {:ok, io} = Numbers.__item__(nil, 0)
      assert bytes(io) == <<26, 0>>
      assert {:ok, io} = Numbers.__item__(5, 0)
      assert bytes(io) == <<26, 2, 8, 5>>
      assert {:invalid, [violation]} = Request.__item__(nil, 0)
      assert %Violation{path: "all_items[0]", rule: "model_type"} = violation
    end

    test "says which item does not fit, and where in it" do
      assert {:invalid, [violation]} = Request.__item__(%{sku: ""}, 3)
      assert %Violation{path: "all_items[3].sku", rule: "string_too_short"} = violation
      assert {:invalid, [%Violation{path: "numbers[12]"}]} = Numbers.__item__(-1, 12)
    end

    test "is told by reflection" do
      assert [%{name: :items, role: :streamed}, %{name: :limit, role: nil}] =
               Request.__synapse__(:fields)
    end

    test "is neither required nor optional" do
      assert_raise ArgumentError, ~r/field :items: .*`streamed: true`/, fn ->
        SynapseBridge.Message.Field.new!(:items, 1, :int64, streamed: true, required: true)
      end
    end
  end

  describe "an exception" do
    test "has the fields of a message and a text" do
      assert {:ok, %Failed{sku: "a", left: 0, message: ""} = failed} = Failed.new(sku: "a")
      assert bytes(Failed.encode(failed)) == <<10, 1, "a", 16, 0>>
      assert {:ok, ^failed} = Failed.decode(<<10, 1, "a">>)
      assert is_exception(failed)
      assert Exception.message(%{failed | message: "none left"}) == "none left"
    end

    test "without a text shows its fields" do
      message = Exception.message(%Failed{sku: "a", left: 3})
      assert message =~ "Failed" and message =~ ~s(sku: "a") and message =~ "left: 3"
    end

    test "can be raised with its fields" do
      assert_raise Failed, "none left", fn -> raise Failed, sku: "a", message: "none left" end
    end

    test "may have a field of that name" do
      worded = %Worded{message: ["a", "b"]}
      assert {:ok, ^worded} = Worded.decode(bytes(Worded.encode(worded)))
      assert Exception.message(worded) =~ ~s(message: ["a", "b"])
    end
  end
end
