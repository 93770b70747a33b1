defmodule SynapseBridge.Channel.Backoff do
  @moduledoc """
  How long to wait between attempts to connect (gRPC's "Connection Backoff Protocol").

  Pauses grow by `multiplier` up to `max`. Each is varied by up to ±`jitter` of itself, so that many
  clients of a server that comes back do not all arrive at once.
  """

  @type settings :: %{
          initial: pos_integer(),
          max: pos_integer(),
          multiplier: number(),
          jitter: number()
        }

  @doc """
  The pause after `failures` failed attempts, in milliseconds. `random` is between 0 and 1.
  """
  @spec delay(settings(), failures :: pos_integer(), random :: float()) :: non_neg_integer()
  def delay(settings, failures, random \\ :rand.uniform()) do
    # From here on it is `max`; the power of a large number would not be a float any more.
    steps = min(failures - 1, 100)
    pause = min(settings.initial * :math.pow(settings.multiplier, steps), settings.max)
    round(pause * (1 + settings.jitter * (2 * random - 1)))
  end
end
