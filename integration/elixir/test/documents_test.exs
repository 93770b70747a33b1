defmodule MyApp.DocumentsTest do
  use ExUnit.Case

  alias Integration.{Docs, Server}
  alias MyApp.Documents
  alias MyApp.Documents.{Document, Section, Span}
  alias SynapseBridge.Error

  setup_all do
    start_supervised!({Documents, Server.channel()})
    :ok
  end

  @tree %{
    title: "Intro",
    spans: [%{text: "one two"}, %{text: "three", emphasis: :strong}],
    children: [
      %{title: "Method", children: [%{title: "Data"}, %{title: "Model"}]},
      %{title: "Résultats 📈", translations: %{"en" => %{title: "Results"}}}
    ]
  }

  test "a tree is read in order" do
    document = %{title: "Paper", root: @tree}

    assert Documents.outline(document) ==
             {:ok, ["1 Intro", "1.1 Method", "1.1.1 Data", "1.1.2 Model", "1.2 Résultats 📈"]}

    assert Documents.outline(document, depth: 1) == {:ok, ["1 Intro"]}
  end

  test "a tree comes back in parts, as structs" do
    assert {:ok, [intro, method, data, model, results]} = Documents.flatten(@tree)

    assert intro == %Section{
             title: "Intro",
             spans: [
               %Span{text: "one two", emphasis: :none, footnote: nil},
               %Span{text: "three", emphasis: :strong, footnote: nil}
             ]
           }

    assert [method, data, model] == for(t <- ~w(Method Data Model), do: %Section{title: t})
    assert results.translations == %{"en" => %Section{title: "Results"}}
  end

  test "a model that refers to itself may be absent" do
    assert Documents.find(@tree, "Nowhere") == {:ok, nil}

    assert Documents.find(%{title: "a", see_also: %{title: "b", see_also: %{title: "c"}}}, "a") ==
             {:ok,
              %Section{
                title: "a",
                see_also: %Section{title: "b", see_also: %Section{title: "c"}}
              }}
  end

  test "models that refer to each other are carried" do
    footnote = %{title: "Note", spans: [%{text: "four five six"}]}
    root = %{title: "Root", spans: [%{text: "one two three", footnote: footnote}]}
    assert Documents.word_counts(%{title: "D", root: root}) == {:ok, %{"Root" => 6}}
  end

  test "a tree of fifty levels is carried both ways" do
    assert {:ok, %Section{} = chain} = Documents.chain(50)
    assert depth(chain) == 50
    assert {:ok, parts} = Documents.flatten(chain)
    assert Enum.map(parts, & &1.title) == Enum.map(1..50, &Integer.to_string/1)
  end

  test "a tree of more than a hundred levels is refused, on the way there and back" do
    tree = Enum.reduce(1..150, %{title: "leaf"}, &%{title: "level #{&1}", children: [&2]})
    assert {:error, %Error{code: :invalid_argument}} = Documents.flatten(tree)
    assert {:error, %Error{code: :internal}} = Documents.chain(150)
    assert {:ok, %Section{}} = Documents.chain(1)
  end

  test "a wide tree is carried" do
    leaves = for n <- 1..5_000, do: %{title: "leaf #{n}"}
    assert {:ok, parts} = Documents.flatten(%{title: "root", children: leaves})
    assert length(parts) == 5_001
  end

  test "a document may hold a grid with holes" do
    grid = [[1, nil], [], [nil, nil, 3]]
    document = Document.new!(%{title: "D", root: %{title: "r"}, grid: grid})
    assert document.grid == grid
    assert {:ok, ["1 r"]} = Documents.outline(document)
  end

  test "the path of a violation leads through the tree" do
    tree = put_in(@tree, [:children, Access.at(0), :children, Access.at(1), :title], "")
    assert {:error, %Error{violations: [violation]}} = Documents.flatten(tree)
    assert violation.path == "section.children[0].children[1].title"
    assert violation.rule == "string_too_short"

    tree = put_in(@tree, [:children, Access.at(1), :translations, "pt-BR"], %{})
    assert {:error, %Error{violations: [violation]}} = Documents.flatten(tree)
    assert violation.path == ~s(section.children[1].translations["pt-BR"].title)
    assert violation.rule == "missing"
  end

  test "a docstring in NumPy's style is Markdown" do
    doc = Docs.of(Documents, :outline)
    assert doc =~ ~r/\* `document` .*What to read\./
    assert doc =~ ~r/\* `:depth` .*default `3`.*How many levels to show/
    assert doc =~ "Lines such as `1.2 Results`, in reading order."
    refute doc =~ "----"
  end

  test "what a docstring holds is text, never code" do
    doc = Docs.of(Documents, :to_markdown)
    assert doc =~ ~S|#{System.halt(1)}|
    assert doc =~ ~S(""")
    assert doc =~ ~S(\\n)
    assert doc =~ "<%= 1 + 1 %>"
  end

  test "backslashes, quotes and interpolations are carried as text" do
    text = ~S(a\nb "quoted" #{1 + 1})
    root = %{title: "r", spans: [%{text: text, emphasis: :code}]}

    assert Documents.to_markdown(%{title: "T", root: root}) ==
             {:ok, "# T\n\n## r\n\n`" <> String.replace(text, "\\", "\\\\") <> "`"}
  end

  test "an error of the function is told by its name" do
    assert {:error, %Error{reason: "builtins.ValueError"}} = Documents.chain(0)
  end

  defp depth(%Section{children: []}), do: 1
  defp depth(%Section{children: [child]}), do: 1 + depth(child)
end
