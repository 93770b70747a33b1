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

  @doc "The schema of these settings as options, with defaults of one's own."
  @spec options(keyword(number())) :: keyword()
  def options(defaults \\ []) do
    for {name, {least, default, doc}} <- [
          initial: {1, 1_000, "the first pause, in milliseconds."},
          max: {1, 120_000, "the longest, in milliseconds."},
          multiplier: {1, 1.6, "how much longer each is than the last."},
          jitter: {0, 0.2, "the part of itself that each varies by."}
        ] do
      {name, [type: {:number, least}, default: Keyword.get(defaults, name, default), doc: doc]}
    end
  end

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
