defmodule OpenAITest do
  # The model is a stub that answers by prompt, see openai_test.py. It says what it was asked, and who
  # ended the answer.
  use ExUnit.Case, async: true

  alias Authors.{City, Geographer, Poet, TextDelta, ToolCall, ToolReturn}
  alias Integration.Server

  @secret "the launch code is 7421"

  setup_all do
    start_supervised!({Authors, Server.channel()})
    :ok
  end

  # A prompt that no other test uses, so that the stub can tell its request.
  defp prompt(kind), do: "#{kind}: #{System.unique_integer([:positive])}"

  describe "a run" do
    test "has the model's text, and what it took" do
      assert {:ok, %Poet.Result{} = result} = Poet.run(prompt("say"))
      assert result.output == "Roses are red"
      assert %{requests: 1, input_tokens: 7, output_tokens: 5} = result.usage
    end

    test "has a typed output, after a tool of the agent" do
      assert {:ok, result} = Geographer.run(prompt("city"))
      assert result.output == %City{name: "Bern", inhabitants: 134_000}
      assert %{requests: 2, tool_calls: 1} = result.usage
    end
  end

  describe "a stream" do
    test "has every piece of text, and the result at last" do
      events = "say" |> prompt() |> Poet.run_stream!() |> Enum.to_list()
      assert for(%TextDelta{text: text} <- events, do: text) == ["Roses", " are ", "red"]
      assert %Poet.Finished{result: %{output: "Roses are red"}} = List.last(events)
    end

    test "has calls of tools, what they return, and the growing output" do
      events = "city" |> prompt() |> Geographer.run_stream!() |> Enum.to_list()

      assert [%ToolCall{tool_name: "count_inhabitants"} | _] =
               for(%ToolCall{} = e <- events, do: e)

      assert [%ToolReturn{content: {:any, 134_000}} | _] = for(%ToolReturn{} = e <- events, do: e)
      outputs = for %Geographer.PartialOutput{output: output} <- events, do: output
      assert List.last(outputs) == %City{name: "Bern", inhabitants: 134_000}
      assert %Geographer.Finished{result: %{output: %City{name: "Bern"}}} = List.last(events)
    end

    test "brings text before the model has finished" do
      prompt = prompt("wait")
      {:ok, stream} = Poet.start_stream(prompt)
      assert "Roses are" = receive_text(stream, "Roses are")
      "ok" = Server.model("go_on #{prompt}")
      assert " blue" = receive_text(stream, " blue")
      SynapseBridge.Stream.cancel(stream)
    end
  end

  describe "the request to the provider ends" do
    test "when an enumeration is halted" do
      prompt = prompt("wait")
      assert ["Roses", " are"] = prompt |> Poet.text_stream!() |> Enum.take(2)
      assert Server.model("closed #{prompt}") == "yes"
    end

    test "when a stream of messages is cancelled" do
      prompt = prompt("wait")
      {:ok, stream} = Poet.start_stream(prompt)
      receive_text(stream, "Roses are")
      SynapseBridge.Stream.cancel(stream)
      assert Server.model("closed #{prompt}") == "yes"
    end

    test "when the process that reads dies" do
      prompt = prompt("wait")
      pid = spawn(fn -> prompt |> Poet.text_stream!() |> Stream.run() end)
      "yes" = Server.model("asked #{prompt}")
      Process.exit(pid, :kill)
      assert Server.model("closed #{prompt}") == "yes"
    end

    test "when the deadline of a run passes" do
      prompt = prompt("wait")
      assert {:error, %{code: :deadline_exceeded}} = Poet.run(prompt, timeout: 2_000)
      assert Server.model("closed #{prompt}") == "yes"
    end

    test "when the model is done, and by itself" do
      prompt = prompt("say")
      prompt |> Poet.text_stream!() |> Stream.run()
      assert Server.model("closed #{prompt}") == "no"
    end
  end

  for status <- [401, 429, 500] do
    test "HTTP status #{status} of the provider is a declared error that gives nothing away" do
      prompt = "status: #{unquote(status)} #{@secret}"
      assert {:error, error} = Poet.run(prompt)
      assert %Authors.ModelHTTPError{status_code: unquote(status), model_name: "stub"} = error
      refute inspect(error) =~ ~r/sk-|7421|launch/
      refute Exception.message(error) =~ ~r/sk-|7421|launch/

      assert_raise Authors.ModelHTTPError, fn ->
        prompt |> Poet.run_stream!() |> Stream.run()
      end
    end
  end

  defp receive_text(stream, wanted, text \\ "")
  defp receive_text(_stream, wanted, wanted), do: wanted

  defp receive_text(%{ref: ref} = stream, wanted, text) do
    assert_receive {^ref, events}, 10_000
    SynapseBridge.Stream.next(stream)
    new = for {:item, %TextDelta{text: text}} <- events, do: text
    receive_text(stream, wanted, text <> Enum.join(new))
  end
end
