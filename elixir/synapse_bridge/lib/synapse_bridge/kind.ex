defmodule SynapseBridge.Kind do
  @moduledoc false
  # The kinds of values without inner structure: one row for each. A row names what the kind is on
  # the wire, how it is written as a typespec, and the module that casts it.
  #
  # On the wire a kind is
  #
  #   * one of protobuf's scalars, as it is: `:string`;
  #   * a scalar with a conversion: `{:via, :string, module, kind}`, by `module.to_wire(kind, value)`
  #     and `module.from_wire(kind, wire)`, which is `{:ok, value}` or `{:error, reason}`;
  #   * a message, `{:nested, {:remote, module}}`: `module.__encode__(value)` and
  #     `module.__decode__(bytes, depth)`, as a `SynapseBridge.Message` has them.
  #
  # `value(kind, value, path, depth)` of a row's module casts, as `SynapseBridge.Cast.value/4` does.

  alias SynapseBridge.Cast

  alias SynapseBridge.Kind.{
    Address,
    BigInteger,
    CalendarDate,
    Decimal,
    NaiveDatetime,
    Span,
    Text,
    TimeOfDay,
    Timestamp
  }

  alias SynapseBridge.Tensor
  alias SynapseBridge.Value

  @type t :: atom()

  @type wire ::
          atom()
          | {:via, atom(), module(), term()}
          | {:nested, {:remote, module()}}

  @addresses [
    :ipv4,
    :ipv6,
    :ip,
    :ipv4_interface,
    :ipv6_interface,
    :ip_interface,
    :ipv4_network,
    :ipv6_network,
    :ip_network
  ]

  @rows [
          bool: {Cast, :bool, quote(do: boolean())},
          int64: {Cast, :int64, quote(do: integer())},
          uint64: {Cast, :uint64, quote(do: non_neg_integer())},
          bigint: {BigInteger, {:via, :string, BigInteger, :bigint}, quote(do: integer())},
          double: {Cast, :double, quote(do: SynapseBridge.Message.double())},
          decimal:
            {Decimal, {:via, :string, Decimal, :decimal},
             quote(do: SynapseBridge.Message.decimal())},
          string: {Cast, :string, quote(do: String.t())},
          bytes: {Cast, :bytes, quote(do: binary())},
          secret_string: {Text, :string, quote(do: String.t())},
          secret_bytes: {Text, :bytes, quote(do: binary())},
          datetime: {Timestamp, {:nested, {:remote, Timestamp}}, quote(do: DateTime.t())},
          naive_datetime:
            {NaiveDatetime, {:via, :string, NaiveDatetime, :naive_datetime},
             quote(do: NaiveDateTime.t())},
          date: {CalendarDate, {:nested, {:remote, CalendarDate}}, quote(do: Date.t())},
          time: {TimeOfDay, {:nested, {:remote, TimeOfDay}}, quote(do: Time.t())},
          timedelta: {Span, {:nested, {:remote, Span}}, quote(do: integer())},
          uuid: {Text, :string, quote(do: String.t())},
          path: {Text, :string, quote(do: String.t())},
          url: {Text, :string, quote(do: String.t())},
          email: {Text, :string, quote(do: String.t())},
          regex: {Text, :string, quote(do: String.t())},
          any: {Value, {:nested, {:remote, Value}}, quote(do: term())},
          tensor:
            {Tensor.Codec, {:nested, {:remote, Tensor.Codec}},
             quote(do: SynapseBridge.Tensor.t())}
        ] ++ for(kind <- @addresses, do: {kind, {Address, :string, quote(do: String.t())}})

  @doc "All kinds."
  @spec all() :: [t()]
  def all, do: unquote(Keyword.keys(@rows))

  @doc "The module that casts a kind."
  @spec module(t()) :: module()
  for {kind, {module, _, _}} <- @rows, do: def(module(unquote(kind)), do: unquote(module))

  @doc "What a kind is on the wire."
  @spec wire(t()) :: wire()
  for {kind, {_, wire, _}} <- @rows, do: def(wire(unquote(kind)), do: unquote(Macro.escape(wire)))

  @doc "The type of its values, quoted."
  @spec spec(t()) :: Macro.t()
  for {kind, {_, _, spec}} <- @rows, do: def(spec(unquote(kind)), do: unquote(Macro.escape(spec)))

  @doc "Whether values of a kind are kept out of what people read."
  @spec secret?(t()) :: boolean()
  def secret?(kind), do: kind in [:secret_string, :secret_bytes]
end
