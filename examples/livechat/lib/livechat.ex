defmodule Livechat do
  @moduledoc """
  A web page to talk to an agent, served with nothing but `:gen_tcp`.

  `GET /` is the page. `GET /run?prompt=…` is a run of the agent as server-sent events: `text` for
  every piece of its text, and at the end `done`, or `failed` with the reason. Data is
  percent-encoded, so that any text fits on a line.

  Each connection has a process, which listens to the agent and to the browser: a browser that goes
  away cancels the run.
  """

  alias Assistant.{Chat, TextDelta}

  @doc """
  Takes a port of the loopback interface, 0 for any free one, and returns it with the page's address.
  """
  @spec listen(:inet.port_number()) :: {:ok, :gen_tcp.socket(), String.t()} | {:error, atom()}
  def listen(port) do
    options = [:binary, packet: :http_bin, active: false, ip: {127, 0, 0, 1}, reuseaddr: true]

    with {:ok, listener} <- :gen_tcp.listen(port, options),
         {:ok, port} <- :inet.port(listener),
         do: {:ok, listener, "http://127.0.0.1:#{port}/"}
  end

  @doc "Serves `page`, until the listener is closed; returns why it was."
  @spec serve(:gen_tcp.socket(), String.t()) :: {:error, atom()}
  def serve(listener, page) do
    {:ok, connections} = Task.Supervisor.start_link()
    accept(listener, connections, page)
  end

  defp accept(listener, connections, page) do
    with {:ok, socket} <- :gen_tcp.accept(listener) do
      {:ok, pid} =
        Task.Supervisor.start_child(connections, fn ->
          receive(do: (:yours -> answer(socket, page)))
        end)

      :ok = :gen_tcp.controlling_process(socket, pid)
      send(pid, :yours)
      accept(listener, connections, page)
    end
  end

  defp answer(socket, page) do
    case request(socket) do
      {:ok, :GET, "/"} ->
        respond(socket, "200 OK", "text/html; charset=utf-8", page)

      {:ok, :GET, "/run?prompt=" <> prompt} ->
        run(socket, URI.decode(prompt))

      {:ok, _method, _path} ->
        respond(socket, "404 Not Found", "text/plain", "There is no such page.")

      {:error, _reason} ->
        :gen_tcp.close(socket)
    end
  end

  # The request's first line is all that matters here, but its headers have to be read.
  defp request(socket) do
    with {:ok, {:http_request, method, {:abs_path, path}, _version}} <- receive_line(socket),
         :ok <- headers(socket) do
      {:ok, method, path}
    else
      {:ok, _other} -> {:error, :no_request}
      error -> error
    end
  end

  defp headers(socket) do
    case receive_line(socket) do
      {:ok, :http_eoh} -> :ok
      {:ok, {:http_header, _, _, _, _}} -> headers(socket)
      {:ok, _other} -> {:error, :no_header}
      error -> error
    end
  end

  defp receive_line(socket), do: :gen_tcp.recv(socket, 0, 10_000)

  defp respond(socket, status, type, body) do
    :gen_tcp.send(socket, [
      "HTTP/1.1 #{status}\r\ncontent-type: #{type}\r\ncontent-length: #{byte_size(body)}\r\n",
      "connection: close\r\n\r\n",
      body
    ])

    :gen_tcp.close(socket)
  end

  defp run(socket, prompt) do
    :ok =
      :gen_tcp.send(socket, [
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n",
        "connection: close\r\n\r\n"
      ])

    # From here on, the end of the connection is a message like the agent's events.
    :ok = :inet.setopts(socket, packet: :raw, active: true)

    case Chat.start_stream(prompt) do
      {:ok, stream} -> relay(socket, stream)
      {:error, error} -> finish(socket, [{:error, error}])
    end
  end

  defp relay(socket, %SynapseBridge.Stream{ref: ref} = stream) do
    receive do
      {^ref, events} ->
        if Enum.any?(events, &last?/1) do
          finish(socket, events)
        else
          :gen_tcp.send(socket, Enum.map(events, &line/1))
          SynapseBridge.Stream.next(stream)
          relay(socket, stream)
        end

      {:tcp_closed, ^socket} ->
        SynapseBridge.Stream.cancel(stream)
    end
  end

  defp finish(socket, events) do
    :gen_tcp.send(socket, Enum.map(events, &line/1))
    :gen_tcp.close(socket)
  end

  defp last?({:item, _event}), do: false
  defp last?(_end), do: true

  defp line({:item, %TextDelta{text: text}}), do: line("text", text)
  defp line({:item, _other}), do: []
  defp line(:done), do: line("done", "")
  defp line({:error, error}), do: line("failed", Exception.message(error))

  defp line(event, data),
    do: ["event: ", event, "\ndata: ", URI.encode(data, &URI.char_unreserved?/1), "\n\n"]
end
