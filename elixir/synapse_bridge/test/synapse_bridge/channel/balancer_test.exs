defmodule SynapseBridge.Channel.BalancerTest do
  use ExUnit.Case, async: true

  alias SynapseBridge.Channel.Balancer

  defp processes(count), do: for(_ <- 1..count, do: spawn(fn -> :ok end))
  defp turn, do: :atomics.new(1, signed: false)

  test "without a connection there is none to choose" do
    assert Balancer.choose({}, turn()) == nil
  end

  test "one connection takes every call" do
    [one] = processes(1)
    turn = turn()
    assert for(_ <- 1..3, do: Balancer.choose({one}, turn)) == [one, one, one]
  end

  test "connections take turns" do
    all = processes(3)
    turn = turn()
    chosen = for _ <- 1..30, do: Balancer.choose(List.to_tuple(all), turn)
    assert chosen |> Enum.chunk_every(3) |> Enum.uniq() |> length() == 1
    assert Enum.frequencies(chosen) == Map.new(all, &{&1, 10})
  end

  describe "by load" do
    setup do
      [a, b, c] = processes(3)
      members = {{a, Balancer.new_load()}, {b, Balancer.new_load()}, {c, Balancer.new_load()}}
      %{members: members, turn: turn()}
    end

    test "calls that go on are spread evenly", %{members: members, turn: turn} do
      chosen = for _ <- 1..30, do: Balancer.choose(members, turn)
      assert chosen |> Enum.frequencies() |> Map.values() == [10, 10, 10]
    end

    test "a connection whose calls are over takes the next ones", %{members: members, turn: turn} do
      for _ <- 1..30, do: Balancer.choose(members, turn)
      {_a, {b, load}, _c} = members
      Balancer.put_over(load, 10)
      assert Balancer.calls(load) == 0
      assert for(_ <- 1..10, do: Balancer.choose(members, turn)) == List.duplicate(b, 10)
    end

    test "calls that are over at once are spread as well", %{members: members, turn: turn} do
      loads = for {pid, load} <- Tuple.to_list(members), into: %{}, do: {pid, load}

      chosen =
        for n <- 1..30, reduce: %{} do
          over ->
            pid = Balancer.choose(members, turn)
            over = Map.update(over, pid, 1, &(&1 + 1))
            Balancer.put_over(loads[pid], over[pid])
            assert {n, Balancer.calls(loads[pid])} == {n, 0}
            over
        end

      assert Map.values(chosen) == [10, 10, 10]
    end
  end

  test "a connection that takes no more calls is left out" do
    [a, b, c] = processes(3)
    load = Balancer.new_load()
    assert Balancer.without({a, b}, a) == {:ok, {b}}
    assert Balancer.without({{a, load}, {b, load}}, b) == {:ok, {{a, load}}}
    assert Balancer.without({a}, a) == {:ok, {}}
    assert Balancer.without({a, b}, c) == :error
  end
end
