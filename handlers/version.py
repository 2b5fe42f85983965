"""The version of the server, the same as the contract's."""

from typing import Final

VERSION: Final = "2.0.0"
