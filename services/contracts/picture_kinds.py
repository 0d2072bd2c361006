"""What a file is, by its first bytes: a picture that we read, one that we do not, or none at all."""

from __future__ import annotations

from dataclasses import dataclass

# So much of a file is enough to tell.
HEAD_BYTES = 64

_AS_JPEG = "save it as JPEG or PNG"
_EXPORT = "export it as JPEG from the program that develops it"


@dataclass(frozen=True)
class Kind:
    """A kind of file, as people name it. `advice` is what to do with one that is not read."""

    name: str
    advice: str = ""
    is_picture: bool = True

    @property
    def is_read(self) -> bool:
        return not self.advice

    @property
    def refusal(self) -> str:
        """Why it is not read, and what to do, in words."""
        return f"the file is {self.name}: {self.advice}"


JPEG, PNG, WEBP = Kind("a JPEG picture"), Kind("a PNG picture"), Kind("a WebP picture")
HEIC, AVIF = Kind("a HEIC picture"), Kind("an AVIF picture")
GIF, BMP, TIFF = Kind("a GIF picture"), Kind("a BMP picture"), Kind("a TIFF picture")
JPEG_2000 = Kind("a JPEG 2000 picture")
RAW = Kind("a camera's raw picture", _EXPORT)

_JPEG_XL = Kind("a JPEG XL picture", _AS_JPEG)
_ICON, _PHOTOSHOP = Kind("an icon", _AS_JPEG), Kind("a Photoshop picture", _AS_JPEG)
_DRAWING = Kind("an SVG drawing", "photographs only")
_VIDEO = Kind("a video", "take a still of it, or leave it out", is_picture=False)
_SOUND = Kind("a sound", "leave it out", is_picture=False)
_PDF = Kind("a PDF document", "save its picture as JPEG or PNG", is_picture=False)
_ARCHIVE = Kind("an archive or an office document", "unpack its pictures", is_picture=False)
_PAGE = Kind("a web page", "download the picture itself", is_picture=False)
_TEXT = Kind("text", "leave it out", is_picture=False)
_EMPTY = Kind("empty", "copy it again, or leave it out", is_picture=False)
_UNKNOWN = Kind("of no kind of picture that is known", _AS_JPEG, is_picture=False)

# Where two begin alike the longer comes first.
_BEGINNINGS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"BM", BMP),
    (b"II*\0\x10\0\0\0CR", RAW),
    (b"IIU\0", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"FOVb", RAW),
    (b"\0MRM", RAW),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JPEG_2000),
    (b"\xff\x4f\xff\x51", JPEG_2000),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _JPEG_XL),
    (b"\xff\x0a", _JPEG_XL),
    (b"8BPS", _PHOTOSHOP),
    (b"\0\0\1\0", _ICON),
    (b"%PDF", _PDF),
    (b"PK\x03\x04", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"OggS", _VIDEO),
    (b"\0\0\1\xba", _VIDEO),
    (b"\0\0\1\xb3", _VIDEO),
    (b"FLV", _VIDEO),
    (b"ID3", _SOUND),
    (b"fLaC", _SOUND),
)
_RIFF = {b"WEBP": WEBP, b"AVI ": _VIDEO, b"WAVE": _SOUND}
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
_TEXT_BEGINNINGS = ((b"<svg", _DRAWING), (b"<!doctype html", _PAGE), (b"<html", _PAGE))


def kind_of(head: bytes) -> Kind:
    """The kind of a file that begins with `head` (HEAD_BYTES of it, or all). A name says nothing: phones lie."""
    if not head:
        return _EMPTY
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], _UNKNOWN)
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    return _of_text(head)


def _of_brands(head: bytes) -> Kind:
    """The family of HEIC, AVIF and MP4 says in its first box what it is, the main brand first."""
    size = max(16, min(int.from_bytes(head[:4], "big"), len(head)))
    main, *others = [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]
    if main == b"crx ":
        return RAW
    if main in _AVIF_BRANDS or (main in (b"mif1", b"msf1") and _AVIF_BRANDS & set(others)):
        return AVIF
    return HEIC if main in _HEIC_BRANDS or (_HEIC_BRANDS - {b"mif1", b"msf1"}) & set(others) else _VIDEO


def _of_text(head: bytes) -> Kind:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, kind in _TEXT_BEGINNINGS:
        if text.lower().startswith(beginning):
            return kind
    # A character may be cut at the head's end.
    readable = head.decode("utf-8", "ignore")
    is_text = len(readable.encode()) >= len(head) - 3 and all(
        c.isprintable() or c in "\t\r\n\ufeff" for c in readable
    )
    return _TEXT if is_text else _UNKNOWN
