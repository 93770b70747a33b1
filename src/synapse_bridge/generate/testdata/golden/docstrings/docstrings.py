'''Docstrings in the usual styles.

Each function has one, see :func:`google` and ``numpy``.
'''

from pydantic import BaseModel, Field


class Documented(BaseModel):
    """A model with a docstring.

    Its text has two paragraphs, and a :class:`reference <pydantic.BaseModel>`.

    Attributes:
        name: What it is called; see `the docs <https://docs.pydantic.dev>`_.
        size: How large it is.
            A second line.
    """

    name: str
    size: int = Field(1, ge=1, description="How large it is.\n\nIn ``cm``.")


def google(document: Documented, factor: float, *, unit: str = "cm", deep: bool = False) -> float:
    """Scales a document.

    The result is rounded::

        round(size * factor)

    Args:
        document: What to scale.
        factor (float): By how much,
            at least 0.
        unit: The unit of the result.

    Returns:
        The new size.

    Raises:
        ValueError: If ``factor`` is negative.
        KeyError: If the unit is not known.

    Examples:
        >>> google(Documented(name="a"), 2)
        2.0
    """
    return document.size * factor


def numpy(document: Documented, factor: float = 1.0) -> float:
    """
    Scales a document.

    Parameters
    ----------
    document : Documented
        What to scale.
    factor : float, optional
        By how much, at least 0.

    Returns
    -------
    float
        The new size.

    Raises
    ------
    ValueError
        If ``factor`` is negative.

    Examples
    --------
    >>> numpy(Documented(name="a"), 2)
    2.0
    """
    return document.size * factor


def rest(document: Documented, factor: float = 1.0) -> float:
    """Scales a document.

    .. note:: Never negative.

    :param document: What to scale.
    :param factor: By how much, at least 0.
    :returns: The new size.
    :raises ValueError: If ``factor`` is negative.
    """
    return document.size * factor


def markdown(document: Documented) -> float:
    """Scales a document by `1`.

    ```python
    markdown(Documented(name="``a``"))
    ```

    * one
    * two
    """
    return document.size


def undocumented(document: Documented) -> None:
    pass
