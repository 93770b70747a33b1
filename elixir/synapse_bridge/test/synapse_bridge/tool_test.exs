defmodule SynapseBridge.ToolTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.{Bytes, Tool, Tools}
  alias SynapseBridge.Tool.{Json, Parameters, Schema, Shape}

  doctest SynapseBridge.Tool

  defp tool(fields),
    do: struct!(%Tool{name: "find", description: "", handler: & &1}, fields)

  defp arguments(tool, json), do: tool |> Parameters.new!() |> Parameters.arguments(json)

  describe "a schema that is given" do
    test "goes to the model as JSON, whatever its keys were" do
      schema = %{type: :object, properties: %{sku: %{"type" => "string", enum: [:a, "b"]}}}

      assert Tool.schema!(tool(parameters: schema)) == %{
               "type" => "object",
               "properties" => %{"sku" => %{"type" => "string", "enum" => ["a", "b"]}}
             }
    end

    test "has the type object" do
      for schema <- [%{type: "string"}, %{}] do
        assert_raise ArgumentError,
                     ~r/tool "find": parameters are a JSON Schema of the type/,
                     fn ->
                       Tool.schema!(tool(parameters: schema))
                     end
      end
    end

    test "is checked before the handler gets the arguments as they are" do
      tool =
        tool(
          parameters: %{
            type: "object",
            properties: %{sku: %{type: "string"}, count: %{type: "integer", minimum: 1}},
            required: ["sku"]
          }
        )

      assert arguments(tool, %{"sku" => "a", "count" => 1.0, "more" => nil}) ==
               {:ok, %{"sku" => "a", "count" => 1.0, "more" => nil}}

      assert {:error, text} = arguments(tool, %{"count" => 0})
      assert text == "the arguments do not fit: count: should be 1 or more; sku: is required"
      assert arguments(tool, "{") == {:error, "the arguments should be a JSON object"}
    end
  end

  describe "JSON Schema" do
    test "says what does not fit, and where" do
      schema = %{
        "properties" => %{
          "kind" => %{"enum" => ["a", 1]},
          "size" => %{"type" => ["number", "null"], "exclusiveMaximum" => 9},
          "tags" => %{"items" => %{"type" => "string", "maxLength" => 2}, "maxItems" => 2},
          "same" => %{"const" => true},
          "either" => %{"anyOf" => [%{"type" => "string"}, %{"type" => "boolean"}]},
          "all" => %{"allOf" => [%{"minLength" => 2}, %{"maxLength" => 3}]},
          "node" => %{"$ref" => "#/$defs/node"}
        },
        "additionalProperties" => false,
        "$defs" => %{
          "node" => %{
            "type" => "object",
            "properties" => %{"next" => %{"$ref" => "#/$defs/node"}}
          }
        }
      }

      good = %{
        "kind" => 1,
        "size" => nil,
        "tags" => ["é"],
        "same" => true,
        "either" => false,
        "all" => "ab",
        "node" => %{"next" => %{"next" => %{}}}
      }

      assert Schema.check(good, schema) == []

      for {key, value, text} <- [
            {"kind", "c", ~s(kind: should be one of "a", 1)},
            {"size", "c", "size: should be of type number or null"},
            {"size", 9, "size: should be less than 9"},
            {"tags", ["a", "abc"], "tags[1]: should have at most 2 characters"},
            {"tags", ["a", "b", "c"], "tags: should have at most 2 items"},
            {"same", false, "same: should be true"},
            {"either", 1,
             "either: should be one of several: should be of type string; or should be of type boolean"},
            {"all", "a", "all: should have at least 2 characters"},
            {"node", %{"next" => %{"next" => 1}}, "node.next.next: should be of type object"},
            {"other", 1, "other: is not allowed"}
          ] do
        assert Schema.check(Map.put(good, key, value), schema) == [text]
      end
    end

    test "that goes round in circles comes to an end" do
      assert Schema.check(1, %{"$ref" => "#"}) == ["is nested too deeply"]
      assert Schema.check(1, %{"$ref" => "#/nowhere"}) == []
      assert Schema.check(1, %{"$ref" => "https://elsewhere"}) == []
    end
  end

  describe "a module as parameters" do
    test "is the spec of the handler, and the handler gets atoms" do
      tool = tool(parameters: Tools, handler: &Tools.find/1)

      assert Tool.schema!(tool) == %{
               "type" => "object",
               "properties" => %{
                 "customer" => %{"type" => "string"},
                 "state" => %{"enum" => ["open", "shipped", "lost"]},
                 "limit" => %{"type" => "integer", "minimum" => 1, "maximum" => 100},
                 "since" => %{"type" => "string", "format" => "date"}
               },
               "required" => ["customer"],
               "additionalProperties" => false
             }

      json = %{"customer" => "c", "state" => "shipped", "limit" => 5, "since" => "2024-02-29"}

      assert arguments(tool, json) ==
               {:ok, %{customer: "c", state: :shipped, limit: 5, since: ~D[2024-02-29]}}

      assert arguments(tool, %{"customer" => "c"}) == {:ok, %{customer: "c"}}

      assert {:error, "the arguments do not fit: " <> wrongs} =
               arguments(tool, %{"state" => "gone", "limit" => 0, "since" => "soon", "x" => 1})

      assert String.split(wrongs, "; ") == [
               "customer: is required",
               ~s(state: should be "open" or "shipped" or "lost"),
               "limit: should be an integer from 1 to 100",
               "since: should be a date such as 2024-02-29",
               "x: is not allowed"
             ]
    end

    test "is the spec of the function with the tool's name, where the handler is another" do
      assert Tool.schema!(tool(parameters: Tools)) ==
               Tool.schema!(tool(parameters: Tools, handler: &Tools.find/1))
    end

    test "takes type parameters, and variables with bounds" do
      tool = tool(name: "x", parameters: Tools, handler: &Tools.paged/2)

      assert Tool.schema!(tool)["properties"] == %{
               "items" => %{
                 "type" => "array",
                 "items" => %{"enum" => ["open", "shipped", "lost"]}
               },
               "next" => %{"anyOf" => [%{"type" => "string"}, %{"type" => "null"}]}
             }

      assert arguments(tool, %{"items" => ["open"], "next" => nil}) ==
               {:ok, %{items: [:open], next: nil}}
    end

    test "takes free keys" do
      tool = tool(name: "free", parameters: Tools)

      assert Tool.schema!(tool) ==
               %{"type" => "object", "additionalProperties" => %{"type" => "integer"}}

      assert arguments(tool, %{"a" => 1}) == {:ok, %{"a" => 1}}
      assert {:error, text} = arguments(tool, %{"a" => "1"})
      assert text == "the arguments do not fit: a: should be an integer"
    end

    test "has a place for every type that a model can give" do
      %{schema: schema, shape: {:object, fields}} =
        Parameters.new!(tool(name: "kinds", parameters: Tools))

      properties = schema["properties"]
      fields = Map.new(fields, fn {name, true, shape} -> {Atom.to_string(name), shape} end)

      for {name, json, value, schema} <- [
            {"integer", 3.0, 3, %{"type" => "integer"}},
            {"natural", 0, 0, %{"type" => "integer", "minimum" => 0}},
            {"positive", 1, 1, %{"type" => "integer", "minimum" => 1}},
            {"negative", -1, -1, %{"type" => "integer", "maximum" => -1}},
            {"float", 1, 1.0, %{"type" => "number"}},
            {"number", 1, 1, %{"type" => "number"}},
            {"flag", true, true, %{"type" => "boolean"}},
            {"bytes", "b", "b", %{"type" => "string"}},
            {"list", [1, "a"], [1, "a"], %{"type" => "array", "items" => %{}}},
            {"some", [1], [1],
             %{"type" => "array", "items" => %{"type" => "integer"}, "minItems" => 1}},
            {"words", ["a"], ["a"], %{"type" => "array", "items" => %{"type" => "string"}}},
            {"scores", %{"a" => 1}, %{"a" => 1.0},
             %{"type" => "object", "additionalProperties" => %{"type" => "number"}}},
            {"object", %{"a" => []}, %{"a" => []},
             %{"type" => "object", "additionalProperties" => %{}}},
            {"anything", nil, nil, %{}},
            {"maybe", nil, nil, %{"anyOf" => [%{"type" => "string"}, %{"type" => "null"}]}},
            {"either", [2], [2],
             %{
               "anyOf" => [
                 %{"type" => "integer"},
                 %{"type" => "array", "items" => %{"type" => "integer"}}
               ]
             }},
            {"level", -1, -1, %{"enum" => [-1, 0, 1]}},
            {"mode", "fast", :fast,
             %{"anyOf" => [%{"type" => "integer"}, %{"enum" => ["fast", nil]}]}},
            {"moment", "2024-02-29T12:00:00Z", ~U[2024-02-29 12:00:00Z],
             %{"type" => "string", "format" => "date-time"}},
            {"local", "2024-02-29T12:00:00", ~N[2024-02-29 12:00:00],
             %{
               "type" => "string",
               "description" => "a date and time without zone, as ISO 8601 has it"
             }},
            {"clock", "12:00:00", ~T[12:00:00], %{"type" => "string", "format" => "time"}}
          ] do
        assert properties[name] == schema
        assert Shape.cast(fields[name], json) == {:ok, value}
      end
    end

    test "says why a function has no place" do
      for {name, text} <- [
            grow: ~r/the type SynapseBridge.Tools.tree\/0 holds itself/,
            tuple: ~r/has no place in a tool's parameters: \{integer\(\), integer\(\)\}/,
            text: ~r/Tools.text\/1 takes something else than a map/,
            several: ~r/Tools.several\/1 has several specs/,
            without: ~r/Tools.without\/1 has no @spec/,
            neverheardof: ~r/has no @spec|has no function neverheardof/
          ] do
        error =
          assert_raise ArgumentError, fn ->
            Tool.schema!(tool(name: Atom.to_string(name), parameters: Tools))
          end

        assert error.message =~ text
      end

      assert_raise ArgumentError, ~r/debug information is not there.*strip_beams/s, fn ->
        Tool.schema!(tool(parameters: __MODULE__.Nowhere))
      end
    end
  end

  describe "a tool that is none" do
    test "says what is wrong" do
      for {fields, text} <- [
            {[name: "a b"], ~r/tool "a b": a name has 1 to 64 letters/},
            {[description: nil], ~r/expected a text as description, got: nil/},
            {[handler: fn -> 1 end], ~r/expected a handler of one or two arguments/},
            {[sequential: 1], ~r/expected true or false for sequential/},
            {[parameters: "x"], ~r/expected a JSON Schema or a module as parameters, got: "x"/},
            {[parameters: %{type: {}}], ~r/the JSON Schema of the parameters has type: a tuple/}
          ] do
        assert_raise ArgumentError, text, fn -> Tool.schema!(tool(fields)) end
      end
    end
  end

  describe "results as JSON" do
    test "are what an encoder would make of them" do
      assert Json.from(%{:a => [1, 2.5, nil, true, :done], "b" => %{~D[2024-02-29] => 1}}) ==
               {:error, "b: the key ~D[2024-02-29]; keys are strings or atoms"}

      assert Json.from(%{:a => [1, 2.5, nil, true, :done], "b" => ~D[2024-02-29]}) ==
               {:ok, %{"a" => [1, 2.5, nil, true, "done"], "b" => "2024-02-29"}}

      assert Json.from([~T[10:00:00], ~N[2024-02-29 10:00:00], ~U[2024-02-29 10:00:00Z]]) ==
               {:ok, ["10:00:00", "2024-02-29T10:00:00", "2024-02-29T10:00:00Z"]}

      assert Json.from(URI.parse("https://example.org/a")) == {:ok, "https://example.org/a"}
      assert Json.from(123_456_789_012_345_678_901_234) == {:ok, 123_456_789_012_345_678_901_234}
    end

    test "are refused where JSON has nothing like them" do
      for {term, text} <- [
            {%{a: [1, {2}]}, "a[1]: a tuple, which JSON does not have"},
            {[1 | 2], "an improper list, which JSON does not have"},
            {self(), "a pid, port or reference, which JSON does not have"},
            {fn -> 1 end, "a function, which JSON does not have"},
            {<<255>>, "a binary that is no UTF-8 text"},
            {<<1::1>>, "a bitstring, which JSON does not have"},
            {%{:a => 1, "a" => 2}, "a: a key that is there twice"},
            {%{<<255>> => 2}, "a key that is no UTF-8 text"},
            {%Bytes{data: "a"}, "a SynapseBridge.Bytes; give a map of what the model is to see"},
            {Enum.reduce(1..200, 0, fn _, inner -> [inner] end), nil}
          ] do
        assert {:error, said} = Json.from(term)
        if text, do: assert(said == text), else: assert(said =~ "too_deep")
      end
    end
  end
end
