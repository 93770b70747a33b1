from __future__ import annotations

from textwrap import dedent

from elixir.modules import defined_modules, enclosing_modules, mentioned_modules


def test_outermost_modules_are_defined() -> None:
    text = dedent(
        """\
        defmodule Shop.Cart do
          defmodule Item do
          end
        end

        defprotocol Shop.Priced do
        end
        """
    )
    assert defined_modules(text) == {"Shop.Cart", "Shop.Priced"}


def test_code_names_modules() -> None:
    text = dedent(
        """\
        alias Shop.{Cart, Order.Line}
        Greeter.hello(%Shop.Item{}) |> Enum.map(&String.upcase/1)
        "Hello, #{Names.first(user, "quoted")}!"
        """
    )
    assert mentioned_modules(text) == {
        "Shop.Cart",
        "Shop.Order.Line",
        "Greeter",
        "Shop.Item",
        "Enum",
        "String",
        "Names",
    }


def test_documentation_comments_and_strings_name_nothing() -> None:
    text = dedent(
        '''\
        # See Comment.
        @moduledoc """
        Put `{Heredoc, target: "x"}` into a supervision tree, "Quoted".
        """
        @other ~S"""
        Sigil.heredoc()
        """
        ~r/Regex/
        "String with \\\\" and \\"Escape\\""
        'Charlist'
        ?"
        :Atom
        @Attribute
        Real.call()
        '''
    )
    assert mentioned_modules(text) == {"Real"}


def test_a_module_may_be_provided_by_one_that_encloses_it() -> None:
    assert enclosing_modules("A.B.C") == ["A.B.C", "A.B", "A"]
