defmodule LivechatTest do
  # What a browser sees, without one; integration/livechat_test.py has one.
  use ExUnit.Case, async: true

  @page "<!doctype html><title>Livechat</title>"

  setup do
    {:ok, listener, address} = Livechat.listen(0)
    start_supervised!({Task, fn -> Livechat.serve(listener, @page) end})
    {:ok, port: URI.parse(address).port}
  end

  defp get(port, path) do
    {:ok, socket} = :gen_tcp.connect(~c"127.0.0.1", port, [:binary, active: false])
    :ok = :gen_tcp.send(socket, "GET #{path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
    socket
  end

  defp read(socket, text \\ "") do
    case :gen_tcp.recv(socket, 0, 10_000) do
      {:ok, more} -> read(socket, text <> more)
      {:error, :closed} -> text
    end
  end

  defp read_until(socket, wanted, text \\ "") do
    if text =~ wanted do
      text
    else
      {:ok, more} = :gen_tcp.recv(socket, 0, 10_000)
      read_until(socket, wanted, text <> more)
    end
  end

  test "there is a page, and no other", %{port: port} do
    assert "HTTP/1.1 200 OK\r\n" <> rest = port |> get("/") |> read()
    assert String.ends_with?(rest, @page)
    assert "HTTP/1.1 404 Not Found\r\n" <> _ = port |> get("/other") |> read()
  end

  test "a run is a series of events", %{port: port} do
    prompt = "100% ∞ & more"
    path = "/run?prompt=" <> URI.encode(prompt, &URI.char_unreserved?/1)
    answer = port |> get(path) |> read()
    assert "HTTP/1.1 200 OK\r\n" <> _ = answer

    words =
      for [_, data] <- Regex.scan(~r/event: text\ndata: (.*)\n\n/, answer), do: URI.decode(data)

    assert length(words) > 10
    assert "You said: 100% ∞ & more\n" <> _ = Enum.join(words)
    assert String.ends_with?(answer, "event: done\ndata: \n\n")
  end

  test "text is sent while the agent writes", %{port: port} do
    text = port |> get("/run?prompt=x") |> read_until("data: ")
    refute text =~ "event: done"
  end
end
