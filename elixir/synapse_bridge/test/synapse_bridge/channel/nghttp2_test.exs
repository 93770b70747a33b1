defmodule SynapseBridge.Channel.NGHTTP2Test do
  # HTTP/2 with a server of another make: nghttp2's, which sends back what it is sent.
  use ExUnit.Case, async: true

  alias SynapseBridge.Channel

  @moduletag :capture_log
  @moduletag :tmp_dir

  # It is installed where the PATH of a user may not lead.
  @nghttpd System.find_executable("nghttpd") ||
             Enum.find(["/usr/sbin/nghttpd"], &File.exists?/1)

  unless @nghttpd do
    @moduletag skip: "nghttpd is not installed here (Debian: nghttp2-server)"
  end

  # Calls at once that the server takes.
  @streams 100

  setup %{tmp_dir: folder} do
    root = Path.join(folder, "root")
    File.mkdir_p!(Path.join(root, "p.S"))
    # It finds the content type by the ending of a file that is there.
    File.write!(Path.join(root, "p.S/Echo.grpc"), "-")
    types = Path.join(folder, "mime.types")
    File.write!(types, "application/grpc grpc\n")

    options =
      ["--no-tls", "--address=127.0.0.1", "--max-concurrent-streams=#{@streams}"] ++
        ["--htdocs=#{root}", "--mime-types-file=#{types}"] ++
        ["--trailer=grpc-status: 0", "--echo-upload"]

    port = serve(options, 5)
    target = "127.0.0.1:#{port}"
    %{channel: start_supervised!({Channel, target: target, backoff: [initial: 20]})}
  end

  # It does not say which port it has found, so one is found for it, which others may take first.
  defp serve(options, attempts) when attempts > 0 do
    {:ok, socket} = :gen_tcp.listen(0, ip: {127, 0, 0, 1})
    {:ok, number} = :inet.port(socket)
    :gen_tcp.close(socket)

    arguments = options ++ ["#{number}"]
    process = Port.open({:spawn_executable, @nghttpd}, [:exit_status, args: arguments])
    {:os_pid, pid} = Port.info(process, :os_pid)
    on_exit(fn -> System.cmd("/bin/sh", ["-c", "kill #{pid} 2> /dev/null"]) end)
    if listens?(process, number), do: number, else: serve(options, attempts - 1)
  end

  defp listens?(process, number) do
    receive do
      {^process, {:exit_status, _status}} -> false
    after
      20 ->
        case :gen_tcp.connect({127, 0, 0, 1}, number, []) do
          {:ok, socket} -> :ok == :gen_tcp.close(socket)
          {:error, :econnrefused} -> listens?(process, number)
        end
    end
  end

  defp echo(channel, text),
    do: Channel.unary(channel, "/p.S/Echo.grpc", text, wait_for_ready: true, timeout: 30_000)

  test "a call", %{channel: channel} do
    assert echo(channel, "hello") == {:ok, "hello", []}
  end

  test "10 MB each way", %{channel: channel} do
    text = :rand.bytes(10_000_000)
    assert {:ok, ^text, []} = echo(channel, text)
  end

  test "1,000 calls over a limit of #{@streams} at once", %{channel: channel} do
    answers =
      1..1000
      |> Enum.map(fn n -> Task.async(fn -> echo(channel, "#{n}") end) end)
      |> Task.await_many(60_000)

    assert answers == for(n <- 1..1000, do: {:ok, "#{n}", []})
  end
end
