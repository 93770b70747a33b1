defmodule SynapseBridge.Union do
  @moduledoc """
  Turns a table of members into the module of a union: a Python `A | B`.

      defmodule Shop.OrderPayment do
        use SynapseBridge.Union, discriminator: "kind"

        union do
          member :card, 1, {:message, Shop.Card}
          member :transfer, 2, {:message, Shop.Transfer}
        end
      end

  A row is the tag, the number on the wire, and the type, as in a `SynapseBridge.Message`, with its
  constraints and `doc:`.

  A value is what the member has for a value, where no other member has values like it: a struct, an
  integer beside strings. Otherwise it is `{tag, value}`: in `str | bytes` both are binaries, and a
  map beside a message could be meant to be one. What was decoded can be sent as it is. As an
  argument both are taken, and what fits one member only: a map for one of several messages is told
  by the `discriminator` (the Python name of a field that is a `Literal` in all of them) or by the
  fields. What fits none or several is a violation.

  The module gets `@type t` and `@type input`, `__synapse__/1` (`:kind` is `:union`, `:members` the
  table as `SynapseBridge.Union.Member` structs, `:discriminator`), and the list of members at the
  end of its `@moduledoc`.
  """

  alias SynapseBridge.Message.{Decoder, Encoder, Shape, Type}
  alias SynapseBridge.Rows
  alias SynapseBridge.Union.{Choice, Member}

  @doc false
  defmacro __using__(options) do
    quote do
      import SynapseBridge.Union, only: [union: 1, member: 3, member: 4]
      Module.register_attribute(__MODULE__, :synapse_members, accumulate: true)
      @synapse_discriminator unquote(options[:discriminator])
    end
  end

  @doc "The table of members; see the module's documentation."
  defmacro union(do: rows) do
    quote do
      Rows.evaluate(fn -> unquote(rows) end)
      @compile Rows.compile_options(:table)
      @before_compile SynapseBridge.Union
    end
  end

  @doc "One row of the table."
  defmacro member(tag, number, type, options \\ []) do
    quote do
      @synapse_members Member.new!(
                         unquote(tag),
                         unquote(number),
                         unquote(type),
                         unquote(options)
                       )
    end
  end

  @doc false
  defmacro __before_compile__(env) do
    members = env.module |> Module.get_attribute(:synapse_members) |> Enum.reverse()
    for key <- [:tag, :number], do: check_unique!(members, key, env)
    members = Member.distinguish(members)
    document(env.module, members)

    shapes = Shape.members(for m <- members, do: {:"member_#{m.number}", m.number, m.type})

    quote do
      @dialyzer :no_improper_lists

      unquote(types(members))
      unquote(runtime_functions(env.module, members))
      unquote_splicing(Encoder.functions(shapes))
      unquote_splicing(Decoder.functions(shapes))
    end
  end

  defp check_unique!(members, key, env) do
    keys = Enum.map(members, &Map.fetch!(&1, key))

    with [twice | _] <- keys -- Enum.uniq(keys) do
      raise CompileError,
        file: env.file,
        line: env.line,
        description: "#{inspect(env.module)} has two members of the #{key} #{inspect(twice)}"
    end
  end

  defp document(module, members) do
    with {line, doc} when is_binary(doc) <- Module.get_attribute(module, :moduledoc) do
      rows =
        for member <- members do
          about = member.doc && " - #{member.doc}"
          "  * `#{Macro.to_string(output(member))}`#{about}\n"
        end

      doc = "#{String.trim(doc)}\n\n## Members\n\n#{rows}"
      Module.put_attribute(module, :moduledoc, {line, doc})
    end
  end

  defp types(members) do
    quote do
      @typedoc "A value of one of the members."
      @type t :: unquote(members |> Enum.map(&output/1) |> one_of())

      @typedoc "What is taken for one: the same, `{tag, value}`, or a map that fits one member."
      @type input :: t() | {atom(), term()} | map() | keyword() | list()
    end
  end

  defp output(%{bare?: true, type: type}), do: Type.spec(type)
  defp output(%{tag: tag, type: type}), do: {tag, Type.spec(type)}

  defp one_of(types) do
    types
    |> Enum.reverse()
    |> Enum.reduce(fn type, others -> quote(do: unquote(type) | unquote(others)) end)
  end

  defp runtime_functions(module, members) do
    tags = for member <- members, do: Atom.to_string(member.tag)

    value = quote(do: value)

    tagged = for member <- members, do: encode_clause(member, {member.tag, value}, true)

    bare =
      for %{bare?: true} = member <- members,
          do: encode_clause(member, value, Member.guard(member, value))

    like =
      for member <- members do
        quote(do: if(unquote(Member.guard(member, value)), do: [unquote(member.tag)], else: []))
      end

    decode =
      for member <- members do
        decoded =
          Decoder.call({:local, :"member_#{member.number}"}, quote(do: bytes), quote(do: depth))

        {:->, [], [[member.number], tagged(member, decoded)]}
      end

    unknown = quote(do: (nil -> {:"$error", [], {:union_member, unquote(tags)}}))

    quote do
      @doc false
      def __synapse__(:kind), do: :union
      def __synapse__(:members), do: unquote(Macro.escape(members))
      def __synapse__(:discriminator), do: @synapse_discriminator

      @doc false
      def __cast__(input, path, depth),
        do: Choice.cast(input, unquote(module), path, depth)

      # The members whose values look like this one.
      @doc false
      def __like__(value), do: Enum.concat(unquote(like))

      unquote_splicing(tagged ++ bare)

      def __encode__(_) do
        raise ArgumentError,
              "cannot encode a value that is no member of #{inspect(__MODULE__)}. Build the " <>
                "struct with new/1, which checks every field and says where a wrong value is"
      end

      @doc false
      def __decode__(_binary, depth) when depth < 0, do: {:"$error", [], :too_deep}

      def __decode__(binary, depth) do
        case SynapseBridge.Codec.Read.member(binary, unquote(Enum.map(members, & &1.number))) do
          {:"$error", _, _} = error -> error
          {number, bytes} -> decode_member(number, bytes, depth)
        end
      end

      defp decode_member(number, bytes, depth) do
        case number do
          unquote(decode ++ unknown)
        end
      end
    end
  end

  defp encode_clause(member, pattern, guard) do
    encoded = Encoder.call({:local, :"member_#{member.number}"}, quote(do: value))

    quote do
      @doc false
      def __encode__(unquote(pattern)) when unquote(guard), do: unquote(encoded)
    end
  end

  defp tagged(%{bare?: true}, decoded), do: decoded

  defp tagged(%{tag: tag}, decoded) do
    quote do
      case unquote(decoded) do
        {:"$error", _, _} = error -> error
        value -> {unquote(tag), value}
      end
    end
  end
end
