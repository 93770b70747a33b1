defmodule SynapseBridge.TelemetryLibraryTest do
  # The library is not among the dependencies. What stands in for it here has its functions, and the
  # process that shows that it runs; all channels see that, so no other test may run meanwhile.
  use ExUnit.Case, async: false

  alias SynapseBridge.Telemetry

  setup do
    {:module, module, _, _} =
      Module.create(
        :telemetry,
        quote do
          def execute(event, measurements, metadata),
            do: send(:telemetry_handler_table, {:execute, event, measurements, metadata})

          def attach_many(id, events, handler, config) do
            send(:telemetry_handler_table, {:attach, id, events, handler, config})
            :ok
          end

          def detach(id) do
            send(:telemetry_handler_table, {:detach, id})
            :ok
          end
        end,
        Macro.Env.location(__ENV__)
      )

    Process.register(self(), :telemetry_handler_table)

    on_exit(fn ->
      refute Telemetry.detect()
      :code.delete(module)
      :code.purge(module)
    end)
  end

  test "where the library runs, events and handlers are its business" do
    refute Telemetry.listened?()
    assert Telemetry.detect()
    assert Telemetry.listened?()
    :ok = Telemetry.execute([:call, :start], %{system_time: 1}, %{path: "/p.S/M"})
    assert_received {:execute, [:synapse_bridge, :call, :start], %{system_time: 1}, metadata}
    assert metadata == %{path: "/p.S/M"}

    handler = fn _, _, _, _ -> :ok end
    assert :ok = Telemetry.attach("id", [[:synapse_bridge, :call, :stop]], handler, :config)
    assert_received {:attach, "id", [[:synapse_bridge, :call, :stop]], ^handler, :config}
    assert :ok = Telemetry.detach("id")
    assert_received {:detach, "id"}
  end
end
