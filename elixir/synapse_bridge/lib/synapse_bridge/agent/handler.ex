defmodule SynapseBridge.Agent.Handler do
  @moduledoc false
  # Functions of the user, called in the process of a task: whatever they do, an answer comes of it.
  #
  # A model learns what a handler has chosen to say. What it has not - the text of an exception may
  # name anything - is for the log.

  alias SynapseBridge.Agent.Toolbox
  alias SynapseBridge.Tool.{Json, Parameters}

  require Logger

  @typedoc "A member of the union of answers, with its fields but for the `:tool_call_id`."
  @type answer :: {atom(), map()}

  @denied "The tool call was denied."

  @doc "Calls the handler of a tool with the arguments of a request that `Parameters` has made."
  @spec call(SynapseBridge.Tool.t(), map(), SynapseBridge.Tool.context()) :: answer()
  def call(tool, arguments, context) do
    case attempt("the handler of the tool #{tool.name}", fn ->
           if is_function(tool.handler, 1),
             do: tool.handler.(arguments),
             else: tool.handler.(arguments, context)
         end) do
      {:returned, returned} -> answer(returned, tool)
      :failed -> failure(tool.name)
    end
  end

  defp answer({:ok, term}, tool), do: content(term, tool)
  defp answer({:retry, text}, tool) when is_binary(text), do: said(:tool_retry, text, tool)
  defp answer({:error, reason}, tool), do: said(:tool_failure, reason(reason), tool)
  defp answer(term, tool), do: content(term, tool)

  defp content(term, tool) do
    case Json.from(term) do
      {:ok, json} ->
        {:tool_result, %{content: json}}

      {:error, text} ->
        Logger.error(
          "the handler of the tool #{tool.name} returned what a model cannot get: #{text}"
        )

        {:tool_failure, %{message: "the tool #{tool.name} failed: its result is no JSON"}}
    end
  end

  defp said(kind, text, tool),
    do: if(String.valid?(text), do: {kind, %{message: text}}, else: failure(tool.name))

  defp reason(text) when is_binary(text), do: text
  defp reason(%{__exception__: true} = exception), do: Exception.message(exception)
  defp reason(atom) when is_atom(atom), do: Atom.to_string(atom)
  defp reason(other), do: inspect(other)

  @doc "The answer where a handler has come to nothing."
  @spec failure(String.t()) :: answer()
  def failure(name), do: {:tool_failure, %{message: "the tool #{name} failed"}}

  @doc "The answer where a handler took too long."
  @spec timeout(String.t(), timeout()) :: answer()
  def timeout(name, milliseconds) do
    Logger.error("the handler of the tool #{name} did not return within #{milliseconds} ms")
    {:tool_failure, %{message: "the tool #{name} did not answer within #{milliseconds} ms"}}
  end

  @doc "Asks whether a call of a tool is approved."
  @spec approve(Toolbox.t(), request :: struct()) :: answer()
  def approve(%Toolbox{on_approval: nil}, request) do
    Logger.error("there is no :on_approval to approve a call of the tool #{request.tool_name}")
    denial()
  end

  def approve(%Toolbox{on_approval: on_approval}, request) do
    case attempt("the approval of the tool #{request.tool_name}", fn -> on_approval.(request) end) do
      {:returned, returned} -> approval(returned, request)
      :failed -> denial()
    end
  end

  defp approval(true, _request), do: {:approval, %{override_args: nil}}
  defp approval(false, _request), do: denial()

  defp approval({:approve, arguments} = returned, request) when is_map(arguments) do
    case Json.from(arguments) do
      {:ok, json} when is_map(json) -> {:approval, %{override_args: json}}
      _no_object -> undecided(returned, request)
    end
  end

  defp approval({:deny, text} = returned, request) when is_binary(text),
    do: if(String.valid?(text), do: denial(text), else: undecided(returned, request))

  defp approval(returned, request), do: undecided(returned, request)

  defp undecided(returned, request) do
    Logger.error(
      "the approval of the tool #{request.tool_name} returned #{inspect(returned)}; expected true, " <>
        "false, {:approve, arguments} or {:deny, text}, so the call was denied"
    )

    denial()
  end

  @doc "The answer where nobody approves."
  @spec denial(String.t()) :: answer()
  def denial(text \\ @denied), do: {:denial, %{message: text}}

  @doc "The text for a model that asks for a tool that is not there."
  @spec unknown(String.t()) :: answer()
  def unknown(name), do: {:tool_failure, %{message: "there is no tool #{name}"}}

  @doc "The arguments that a handler gets, or the answer where they do not fit."
  @spec arguments(Parameters.t(), term()) :: {:ok, map()} | answer()
  def arguments(parameters, arguments) do
    with {:error, text} <- Parameters.arguments(parameters, arguments),
         do: {:tool_retry, %{message: text}}
  end

  defp attempt(what, fun) do
    {:returned, fun.()}
  catch
    kind, reason ->
      Logger.error("#{what} failed\n" <> Exception.format(kind, reason, __STACKTRACE__))
      :failed
  end
end
