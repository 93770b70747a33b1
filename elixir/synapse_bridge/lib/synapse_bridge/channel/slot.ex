defmodule SynapseBridge.Channel.Slot do
  @moduledoc """
  One place for a connection: to which server, and what has become of it.

    * `{:connecting, pid}` - the first SETTINGS are awaited
    * `{:checking, pid, since}` - the server has to be healthy first
    * `{:ready, pid, since}` - it takes calls
    * `{:pausing, timer}` - until the next attempt

  `failure` is why there is no connection, once an attempt has failed, until there is one again.
  """

  alias SynapseBridge.Channel.Balancer
  alias SynapseBridge.Transport.Target

  @enforce_keys [:id, :target]
  defstruct [:id, :target, :phase, :load, :failure, failures: 0]

  @type t :: %__MODULE__{
          id: id(),
          target: Target.t(),
          phase:
            {:connecting, pid()}
            | {:checking | :ready, pid(), since :: integer()}
            | {:pausing, reference()}
            | nil,
          load: Balancer.load() | nil,
          failure: String.t() | nil,
          failures: non_neg_integer()
        }

  @typedoc "The number first, so that in order of ids the servers alternate."
  @type id :: {number :: pos_integer(), Target.t()}

  @doc "The process of the connection, if there is one."
  @spec pid(t()) :: pid() | nil
  def pid(%__MODULE__{phase: {:connecting, pid}}), do: pid
  def pid(%__MODULE__{phase: {_checking_or_ready, pid, _since}}), do: pid
  def pid(%__MODULE__{}), do: nil

  @doc "Whether it takes calls."
  @spec ready?(t()) :: boolean()
  def ready?(%__MODULE__{phase: phase}), do: elem(phase, 0) == :ready

  @doc "What a caller chooses."
  @spec member(t()) :: Balancer.member()
  def member(%__MODULE__{load: nil} = slot), do: pid(slot)
  def member(%__MODULE__{load: load} = slot), do: {pid(slot), load}
end
