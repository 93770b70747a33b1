defmodule Integration.Docs do
  @moduledoc "What `h/1` in IEx shows."

  @doc "The documentation of a function, in Markdown."
  def of(module, function) do
    {:docs_v1, _, :elixir, "text/markdown", _, _, docs} = Code.fetch_docs(module)

    [doc | _] = for {{:function, ^function, _}, _, _, %{"en" => doc}, _} <- docs, do: doc

    doc
  end
end
