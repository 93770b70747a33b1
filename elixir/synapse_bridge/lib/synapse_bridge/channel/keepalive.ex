defmodule SynapseBridge.Channel.Keepalive do
  @moduledoc """
  When a connection sends PING, and when it counts as dead, as a value.

  A server that is cut off, or hangs, closes nothing: only silence tells. After `interval` without a
  byte from the server, a PING asks for one, and after `timeout` without an answer the connection is
  lost. Without calls there is nothing to lose, and servers of gRPC take it ill: unless
  `without_calls`, only a connection with calls is asked.

  Those servers also allow but one PING in five minutes, if not told otherwise, and end connections
  with "too_many_pings". From then on the channel's interval is twice as long (gRFC A8).
  """

  @enforce_keys [:interval, :timeout, :without_calls]
  defstruct @enforce_keys ++ [heard?: false, asked?: false]

  @type t :: %__MODULE__{
          interval: pos_integer(),
          timeout: pos_integer(),
          without_calls: boolean(),
          heard?: boolean(),
          asked?: boolean()
        }

  # Longer than anybody waits.
  @longest 86_400_000

  @doc false
  def options do
    [
      interval: [
        type: :positive,
        default: 300_000,
        doc: "how long a server may be silent before it is asked, in milliseconds."
      ],
      timeout: [
        type: :positive,
        default: 20_000,
        doc: "how long the answer may take, in milliseconds."
      ],
      without_calls: [
        type: :boolean,
        default: false,
        doc: "whether it is asked also when there are no calls on the connection."
      ]
    ]
  end

  @doc """
  Begins with the channel's option `keepalive`, after `complaints` of too many PINGs: the value, and
  the milliseconds until `tick/2`.
  """
  @spec new(settings :: map() | false, complaints :: non_neg_integer()) ::
          {t(), pos_integer()} | nil
  def new(false, _complaints), do: nil

  def new(settings, complaints) do
    interval = min(settings.interval * Integer.pow(2, min(complaints, 30)), @longest)
    {struct!(__MODULE__, %{settings | interval: interval}), interval}
  end

  @doc "Notes that something came from the server."
  @spec heard(t() | nil) :: t() | nil
  def heard(nil), do: nil
  def heard(%__MODULE__{heard?: true} = keepalive), do: keepalive
  def heard(keepalive), do: %{keepalive | heard?: true}

  @doc "What is to be done now, and the milliseconds until the next time."
  @spec tick(t(), calls? :: boolean()) ::
          {:wait | :ping, t(), pos_integer()} | {:dead, silence :: pos_integer()}
  def tick(%__MODULE__{heard?: true} = keepalive, _calls?),
    do: {:wait, %{keepalive | heard?: false, asked?: false}, keepalive.interval}

  def tick(%__MODULE__{asked?: true, timeout: timeout}, _calls?), do: {:dead, timeout}

  def tick(%__MODULE__{without_calls: always?} = keepalive, calls?) when calls? or always?,
    do: {:ping, %{keepalive | asked?: true}, keepalive.timeout}

  def tick(keepalive, _calls?), do: {:wait, keepalive, keepalive.interval}
end
