"""The key dictionary of a document dataset: which printed key means which field, and fields that have no printed key."""

from pydantic import Field

from sandglass.core.value import Value


class KeyDictionary(Value):
    """What labels printed on pages mean.

    Attributes:
        keys: printed key as it stands on the page → field.
        additional: fields that no printed key announces.
    """

    keys: dict[str, str] = Field(default_factory=dict)
    additional: tuple[str, ...] = ()

    def renamed(self, mapping: dict[str, str | None]) -> "KeyDictionary":
        """The dictionary after fields were renamed; what is mapped to None is left out."""
        keys = {key: mapping.get(field, field) for key, field in self.keys.items()}
        additional = dict.fromkeys(mapping.get(field, field) for field in self.additional)
        return KeyDictionary(
            keys={key: field for key, field in keys.items() if field is not None},
            additional=tuple(field for field in additional if field is not None),
        )

    def joined(self, other: "KeyDictionary") -> "KeyDictionary":
        """Both dictionaries as one; where they differ, ``other`` is followed."""
        return KeyDictionary(
            keys={**self.keys, **other.keys}, additional=tuple(dict.fromkeys((*self.additional, *other.additional)))
        )
