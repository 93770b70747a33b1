defmodule SynapseBridge.HTTP2.ResponsesTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.HPACK.Encoder
  alias SynapseBridge.HTTP2.{Connection, Responses}
  alias SynapseBridge.Wire

  @block Encoder.encode([{":method", "POST"}, {":path", "/p.S/M"}])

  # Limits that a few responses reach, and all windows end at.
  @limits [max_body: 60, stream_window: 50, connection_window: 70_000]

  defp connected(count, opts \\ @limits) do
    {connection, _out} = Connection.new(opts)
    {connection, _out, [:ready]} = Connection.receive(connection, Wire.settings())

    Enum.reduce(1..count, connection, fn number, connection ->
      {connection, _out} = open(connection, number)
      connection
    end)
  end

  # Every seventh stream is one of parts.
  defp open(connection, number) when rem(number, 7) == 0 do
    {connection, _id, out} = Connection.open_stream(connection, number, @block, byte_size(@block))

    {connection, out}
  end

  defp open(connection, number),
    do: Connection.open(connection, number, @block, byte_size(@block), "request")

  defp usual(id, data \\ "response") do
    [Wire.response_headers(id), Wire.data(id, data), Wire.trailers(id)]
  end

  # As servers write them, and in all ways that look nearly like that.
  defp response(id, other) do
    fields = [{":status", "200"}, {"content-type", "application/grpc"}]

    Enum.random([
      usual(id),
      usual(id),
      usual(id, ""),
      usual(id, String.duplicate("x", 50)),
      usual(id, String.duplicate("x", 51)),
      usual(id, String.duplicate("x", 61)),
      [Wire.response_headers(id), Wire.trailers(id)],
      [Wire.headers(id, fields, [:end_headers, :end_stream])],
      [Wire.response_headers(id), Wire.data(id, "a"), Wire.data(id, "b"), Wire.trailers(id)],
      [
        Wire.response_headers(id),
        Wire.data(id, <<2, "pad", 0, 0>>, [:padded]),
        Wire.trailers(id)
      ],
      [Wire.response_headers(id), Wire.data(id, "end", [:end_stream])],
      [Wire.response_headers(id), Wire.data(other, "of another"), Wire.trailers(id)],
      [Wire.response_headers(id), Wire.data(id, "x"), Wire.trailers(other)],
      [Wire.headers(id, [{":status", "103"}]), Wire.data(id, "early"), Wire.trailers(id)],
      [Wire.headers(id, [{":status", "103"}]) | usual(id)],
      [Wire.headers(id, [{":status", "404"}]), Wire.data(id, "no"), Wire.trailers(id)],
      [Wire.trailers(id), Wire.data(id, "x"), Wire.trailers(id)],
      [Wire.response_headers(id), Wire.data(id, "x"), Wire.response_headers(id)],
      [
        Wire.headers(id, fields),
        Wire.data(id, "x"),
        Wire.headers(id, fields, [:end_headers, :end_stream])
      ],
      [
        Wire.headers(id, [{"connection", "close"} | fields]),
        Wire.data(id, "x"),
        Wire.trailers(id)
      ],
      [Wire.ping("12345678") | usual(id)],
      [Wire.rst_stream(id, :cancel) | usual(id)]
    ])
  end

  # Frame by frame, nothing is ever whole.
  defp singly(connection, frames) do
    Enum.reduce(frames, {connection, [], []}, fn frame, {connection, out, events} ->
      {connection, more, new} = Connection.receive(connection, frame)
      {connection, [out | more], events ++ new}
    end)
  end

  # Parts of a body are handed on once for each packet.
  defp by_kind(events) do
    {parts, whole} = Enum.split_with(events, &parts?(elem(&1, 1)))

    {whole,
     parts |> Enum.group_by(&elem(&1, 1)) |> Map.new(fn {owner, of} -> {owner, joined(of)} end)}
  end

  defp parts?(owner), do: is_integer(owner) and rem(owner, 7) == 0

  defp joined(events) do
    {data, others} = Enum.split_with(events, &match?({:data, _owner, _bytes, _size}, &1))
    {others, Enum.map_join(data, &elem(&1, 2)), data |> Enum.map(&elem(&1, 3)) |> Enum.sum()}
  end

  # A stream that ends with the packet needs no window any more, so it may be left out.
  defp lasting(out),
    do: Enum.reject(Wire.client_frames(out), &match?({:window_update, id, _} when id > 0, &1))

  test "a packet of responses, usual and not, is what its frames are one by one" do
    for seed <- 1..400 do
      :rand.seed(:exsss, seed)
      count = Enum.random(1..24)
      # An id or two that have never been opened, and some twice.
      ids =
        Enum.shuffle(Enum.map(1..count, &(2 * &1 - 1)) ++ [Enum.random([1, 3, 2 * count + 1])])

      frames = List.flatten(for id <- ids, do: response(id, Enum.random(ids)))
      connection = connected(count)

      {at_once, out, events} = Connection.receive(connection, IO.iodata_to_binary(frames))
      {singly, expected_out, expected} = singly(connection, frames)

      assert {seed, by_kind(events)} == {seed, by_kind(expected)}
      assert lasting(out) == lasting(expected_out)
      assert at_once.receive_window == singly.receive_window
      assert at_once.streams == singly.streams
      assert at_once.phase == singly.phase
    end
  end

  test "of a packet with many responses, those after the first are taken the short way" do
    connection = connected(6)
    {connection, [], [_first]} = Connection.receive(connection, IO.iodata_to_binary(usual(1)))
    packet = IO.iodata_to_binary([usual(3), usual(11), usual(5), Wire.data(7, "x")])

    {rest, connection, events} = Responses.take(packet, connection, [:before])

    assert rest == Wire.data(7, "x")
    head = {200, [{"content-type", "application/grpc"}]}

    assert events ==
             for(
               owner <- [3, 6, 2],
               do: {:response, owner, head, ["response"], [{"grpc-status", "0"}]}
             ) ++ [:before]

    assert Map.keys(connection.streams) == [7, 9]
  end

  test "the window of the connection is refilled in time" do
    connection = connected(400, max_body: 1000, stream_window: 1000, connection_window: 70_000)

    packet =
      IO.iodata_to_binary(
        for n <- 1..400, rem(n, 7) != 0, do: usual(2 * n - 1, String.duplicate("x", 400))
      )

    {connection, out, events} = Connection.receive(connection, packet)

    assert length(events) == 343
    assert [{:window_update, 0, first} | _] = Wire.client_frames(out)
    assert first in 35_000..35_800
    assert connection.receive_window >= 35_000
  end
end
