"""Decode picture bytes into an upright BGR array, with limits, and say plainly why a picture cannot be read."""

import io
import warnings
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.text import Text

Picture = npt.NDArray[np.uint8]
"""(height, width, 3) uint8, BGR, upright as a person sees it."""

MAX_PIXELS = 100_000_000
"""Largest picture that is decoded, in pixels; about 300 MB of memory as BGR."""

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF")
"""Pillow formats that are accepted; decided by content, never by file name."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"})
"""File name endings that an import looks at."""


def _open(data: bytes, name: str, max_pixels: int) -> Image.Image:
    if not data:
        raise InvalidInput(
            "picture_empty",
            Text(en=f"{name} is empty (0 bytes).", zh=f"{name} 是空文件（0 字节）。"),
            Text(en="Upload the picture again.", zh="请重新上传图片。"),
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, Image.DecompressionBombError):
            raise _too_large(name, None, max_pixels) from error
        raise InvalidInput(
            "picture_unreadable",
            Text(en=f"{name} is not a picture that can be read.", zh=f"{name} 不是可读取的图片。"),
            Text(en="Use JPEG, PNG, BMP, WebP, TIFF or GIF.", zh="请使用 JPEG、PNG、BMP、WebP、TIFF 或 GIF。"),
        ) from error
    if image.width * image.height > max_pixels:
        raise _too_large(name, (image.width, image.height), max_pixels)
    return image


def _too_large(name: str, size: tuple[int, int] | None, max_pixels: int) -> TooLarge:
    shown = f" ({size[0]} x {size[1]})" if size else ""
    limit = max_pixels // 1_000_000
    return TooLarge(
        "picture_too_large",
        Text(en=f"{name}{shown} has more than {limit} million pixels.", zh=f"{name}{shown} 超过 {limit} 百万像素。"),
        Text(en="Make the picture smaller.", zh="请缩小图片。"),
    )


def picture_size(data: bytes, name: str = "picture", *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height in pixels of the upright picture, from its header alone.

    Raises:
        InvalidInput: ``picture_empty`` or ``picture_unreadable``.
        TooLarge: ``picture_too_large``.
    """
    image = _open(data, name, max_pixels)
    try:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError):
        turned = False  # a broken EXIF block does not turn the picture
    return (image.height, image.width) if turned else (image.width, image.height)


def decode_picture(data: bytes, name: str = "picture", *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode to an upright (height, width, 3) uint8 BGR array.

    Grey, palette, CMYK, 16-bit and transparent pictures are accepted; transparency is laid on white. The first frame
    of several is taken.

    Raises:
        InvalidInput: ``picture_empty`` or ``picture_unreadable`` (also for a picture that is cut off).
        TooLarge: ``picture_too_large``.
    """
    image = _open(data, name, max_pixels)
    plain = image.format in ("JPEG", "BMP") or (image.format == "PNG" and image.mode in ("L", "RGB"))
    if plain and image.mode in ("L", "RGB") and image.format != "BMP":
        # OpenCV decodes these about twice as fast and honours EXIF; Pillow then only has to vouch that nothing is cut.
        array = _decode_fast(data, image)
        if array is not None:
            return array
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
        rgb = np.asarray(_to_rgb(upright))
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, EOFError, MemoryError) as error:
        raise InvalidInput(
            "picture_unreadable",
            Text(en=f"{name} is damaged or cut off.", zh=f"{name} 已损坏或不完整。"),
            Text(en="Upload the picture again from its source.", zh="请从来源重新上传图片。"),
        ) from error
    return cast("Picture", np.ascontiguousarray(rgb[:, :, ::-1]))


def decode_small(data: bytes, size: int, name: str = "picture", *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode to an upright BGR array whose longer side has ``size`` pixels, or fewer if the picture has.

    JPEG files are decoded at a half, a quarter or an eighth, which takes a fraction of the time.

    Raises:
        InvalidInput: ``picture_empty`` or ``picture_unreadable`` (also for a picture that is cut off).
        TooLarge: ``picture_too_large``.
    """
    image = _open(data, name, max_pixels)
    picture = None
    if image.format == "JPEG" and image.mode in ("L", "RGB") and data.rstrip(b"\0")[-2:] == b"\xff\xd9":
        longest = max(image.size)
        flag = next((flag for factor, flag in _REDUCED.items() if longest >= size * factor), cv2.IMREAD_COLOR)
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if picture is None:
        picture = decode_picture(data, name, max_pixels=max_pixels)
    height, width = picture.shape[:2]
    scale = size / max(height, width)
    if scale < 1:
        target = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = cv2.resize(picture, target, interpolation=cv2.INTER_AREA)
    return cast("Picture", picture)


_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}


def _decode_fast(data: bytes, image: Image.Image) -> Picture | None:
    complete = data.rstrip(b"\0")[-2:] == b"\xff\xd9" if image.format == "JPEG" else b"IEND" in data[-16:]
    if not complete:
        return None
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if array is None else cast("Picture", array)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        wide = np.asarray(image).astype(np.float32)
        top = 65535.0 if wide.max(initial=0) > 255 else 255.0
        return Image.fromarray((wide / top * 255).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        wide = np.asarray(image)
        top = float(wide.max(initial=0)) or 1.0
        return Image.fromarray((wide / max(top, 1.0) * 255).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return image.convert("RGB")
