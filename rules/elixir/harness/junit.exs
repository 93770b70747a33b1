defmodule Harness.JUnit do
  @moduledoc "An ExUnit formatter that writes the results as JUnit XML, for reports and totals."
  use GenServer

  @impl true
  def init(options), do: {:ok, %{path: Keyword.fetch!(options, :report), tests: []}}

  @impl true
  def handle_cast({:test_finished, test}, state),
    do: {:noreply, %{state | tests: [test | state.tests]}}

  def handle_cast({:suite_finished, _times}, state) do
    File.write!(state.path, document(Enum.reverse(state.tests)))
    {:noreply, state}
  end

  def handle_cast(_event, state), do: {:noreply, state}

  # Excluded tests did not take part.
  defp document(tests) do
    tests = Enum.reject(tests, &match?({:excluded, _}, &1.state))
    failures = Enum.count(tests, &failed?/1)
    skipped = Enum.count(tests, &match?({:skipped, _}, &1.state))

    [
      ~s(<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n),
      ~s(<testsuite name="exunit" tests="#{length(tests)}" failures="#{failures}" errors="0" ),
      ~s(skipped="#{skipped}" time="#{seconds(Enum.sum(Enum.map(tests, & &1.time)))}">\n),
      Enum.map(tests, &test_case/1),
      "</testsuite>\n</testsuites>\n"
    ]
  end

  defp failed?(%{state: {kind, _}}), do: kind in [:failed, :invalid]
  defp failed?(_test), do: false

  defp test_case(test) do
    [
      ~s(<testcase classname="#{escape(inspect(test.module))}" name="#{escape(test.name)}" ),
      ~s(time="#{seconds(test.time)}">),
      outcome(test),
      "</testcase>\n"
    ]
  end

  defp outcome(%{state: nil}), do: []
  defp outcome(%{state: {:skipped, reason}}), do: ~s(<skipped message="#{escape(reason)}"/>)

  defp outcome(%{state: {:failed, failures}} = test) do
    text = ExUnit.Formatter.format_test_failure(test, failures, 1, 98, fn _, text -> text end)
    "<failure>#{escape(text)}</failure>"
  end

  defp outcome(%{state: {:invalid, module}}),
    do: "<failure>setup_all of #{escape(inspect(module.name))} failed</failure>"

  defp seconds(microseconds), do: :erlang.float_to_binary(microseconds / 1_000_000, decimals: 6)

  # XML 1.0 has no place for control characters, not even escaped.
  defp escape(value) do
    value
    |> to_string()
    |> String.replace(~r/[^\t\n\r\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]/u, "?")
    |> String.replace("&", "&amp;")
    |> String.replace("<", "&lt;")
    |> String.replace(">", "&gt;")
    |> String.replace("\"", "&quot;")
  end
end
