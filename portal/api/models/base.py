"""Owns what the models of answers have in common. They describe answers in the API's document and are never made: an
answer is encoded from what it was read as, and a test holds it to its model."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Shown(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(use_attribute_docstrings=True, json_schema_serialization_defaults_required=True)


class Page(Shown, Generic[T]):
    """A page of a list."""

    items: list[T]
    next_cursor: str | None
    """`cursor` of the next page; null on the last one."""
