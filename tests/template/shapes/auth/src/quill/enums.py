"""The enums that models and requests share."""

from enum import StrEnum


class Colour(StrEnum):
    """The colour of a note's paper."""

    YELLOW = "yellow"
    PINK = "pink"
