"""Exif blocks made fit for a new picture: upright, and without pictures of the old one."""

import struct

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value of each TIFF type."""

_ORIENTATION, _EXIF_DIRECTORY, _MAKER_NOTE = 0x0112, 0x8769, 0x927C
_STRIPS, _STRIP_SIZES, _PREVIEW, _PREVIEW_SIZE, _SUB_DIRECTORIES = 0x111, 0x117, 0x201, 0x202, 0x14A
_TURNED_MAIN = ((0x0100, 0x0101), (0x011A, 0x011B))
_TURNED_EXIF = ((0xA002, 0xA003), (0xA20E, 0xA20F))
"""Pairs of width and height, or of resolutions along them."""

_JPEG_START = b"\xff\xd8\xff"


class _BrokenError(ValueError):
    """The block is not what its header promises."""


def clean(block: bytes, *, turned: bool = False) -> bytes | None:
    """Return an Exif block for a picture that now stands upright and has other colours.

    Everything stays at its place, so that a maker's own tags remain readable. The orientation
    becomes 1. The thumbnail goes, and a maker note that holds a JPEG picture: both show the old
    colours.

    Parameters
    ----------
    block : bytes
        With or without the six bytes that say Exif before its TIFF header.
    turned : bool
        Whether standing up has exchanged width and height.

    Returns
    -------
    bytes or None
        From the TIFF header on; None when the block is broken.
    """
    try:
        return _Block(block.removeprefix(b"Exif\0\0")).cleaned(turned=turned)
    except (_BrokenError, struct.error):
        return None


def orientation(block: bytes) -> int:
    """Return the orientation 1 … 8 that an Exif block names; 1 when it names none."""
    try:
        opened = _Block(block.removeprefix(b"Exif\0\0"))
        found = opened.orientation()
    except (_BrokenError, struct.error):
        return 1
    return found if 1 <= found <= 8 else 1


class _Block:
    """A block that is changed in place."""

    def __init__(self, block: bytes) -> None:
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
        if order is None:
            raise _BrokenError
        self.order = order
        self.data = bytearray(block)

    def cleaned(self, *, turned: bool) -> bytes:
        main = self._number(4, "I")
        if _ORIENTATION in self._entries(main):
            at = self._entries(main)[_ORIENTATION]
            struct.pack_into(self.order + "HHIHH", self.data, at, _ORIENTATION, 3, 1, 1, 0)
        self._drop_previews(main)
        if turned:
            self._exchange(main, _TURNED_MAIN)
        details = self._entries(main).get(_EXIF_DIRECTORY)
        if details is not None:
            self._clean_details(self._number(details + 8, "I"), turned=turned)
        self._drop_thumbnail(main)
        return bytes(self.data)

    def orientation(self) -> int:
        entry = self._entries(self._number(4, "I")).get(_ORIENTATION)
        return 1 if entry is None else self._number(entry + 8, "H")

    def _clean_details(self, directory: int, *, turned: bool) -> None:
        if turned:
            self._exchange(directory, _TURNED_EXIF)
        note = self._entries(directory).get(_MAKER_NOTE)
        if note is not None:
            start, size = self._value(note)
            if _JPEG_START in self.data[start : start + size]:
                self._blank(start, size)
                self._remove(directory, _MAKER_NOTE)

    def _drop_previews(self, directory: int) -> None:
        entries = self._entries(directory)
        if _PREVIEW in entries and _PREVIEW_SIZE in entries:
            self._blank(*(self._number(entries[tag] + 8, "I") for tag in (_PREVIEW, _PREVIEW_SIZE)))
        for tag in (_PREVIEW, _PREVIEW_SIZE, _SUB_DIRECTORIES):
            self._remove(directory, tag)

    def _drop_thumbnail(self, main: int) -> None:
        """Unlink the second directory, and cut off or blank the picture it points to."""
        link = main + 2 + 12 * self._number(main, "H")
        if link + 4 > len(self.data):  # some writers leave the link out
            return
        second = self._number(link, "I")
        struct.pack_into(self.order + "I", self.data, link, 0)
        if not second:
            return
        try:
            pieces = list(self._pictures(second))
        except (_BrokenError, struct.error):
            return
        for start, size in pieces:
            self._blank(start, size)
            if 8 < start < len(self.data) <= start + size:
                del self.data[start:]

    def _pictures(self, directory: int) -> list[tuple[int, int]]:
        """Return (start, size) of the stretches a directory's pictures are stored in."""
        entries = self._entries(directory)
        found: list[tuple[int, int]] = []
        for starts, sizes in ((_PREVIEW, _PREVIEW_SIZE), (_STRIPS, _STRIP_SIZES)):
            if starts in entries and sizes in entries:
                pairs = zip(
                    self._numbers(entries[starts]), self._numbers(entries[sizes]), strict=False
                )
                found.extend(pairs)
        return found

    def _number(self, at: int, code: str) -> int:
        number: int = struct.unpack_from(self.order + code, self.data, at)[0]
        return number

    def _numbers(self, entry: int) -> list[int]:
        code = {3: "H", 4: "I"}.get(self._number(entry + 2, "H"))
        if code is None:
            raise _BrokenError
        start, size = self._value(entry)
        return [self._number(at, code) for at in range(start, start + size, struct.calcsize(code))]

    def _entries(self, directory: int) -> dict[int, int]:
        """Return the place of each tag's entry of 12 bytes."""
        count = self._number(directory, "H")
        if directory < 8 or directory + 2 + 12 * count > len(self.data):
            raise _BrokenError
        places = range(directory + 2, directory + 2 + 12 * count, 12)
        return {self._number(at, "H"): at for at in places}

    def _value(self, entry: int) -> tuple[int, int]:
        """Return where the value of an entry lies, and its size in bytes."""
        kind, count = struct.unpack_from(self.order + "HI", self.data, entry + 2)
        size = _SIZES.get(kind, 1) * count
        start = entry + 8 if size <= 4 else self._number(entry + 8, "I")
        if start + size > len(self.data):
            raise _BrokenError
        return start, size

    def _blank(self, start: int, size: int) -> None:
        stop = min(start + size, len(self.data))
        if 8 <= start < stop:
            self.data[start:stop] = bytes(stop - start)

    def _remove(self, directory: int, tag: int) -> None:
        """Take an entry out; the later ones and the link to the next directory move up."""
        at = self._entries(directory).get(tag)
        if at is None:
            return
        count = self._number(directory, "H")
        end = min(directory + 2 + 12 * count + 4, len(self.data))
        self.data[at:end] = self.data[at + 12 : end] + bytes(12)
        struct.pack_into(self.order + "H", self.data, directory, count - 1)

    def _exchange(self, directory: int, pairs: tuple[tuple[int, int], ...]) -> None:
        entries = self._entries(directory)
        for one, other in pairs:
            if one in entries and other in entries:
                a, b = entries[one] + 2, entries[other] + 2
                self.data[a : a + 10], self.data[b : b + 10] = (
                    self.data[b : b + 10],
                    self.data[a : a + 10],
                )
