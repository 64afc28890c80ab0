"""One picture in the kinds that people really have: grey, CMYK, transparent, 16-bit, turned by EXIF, small, long."""

import io

import cv2
import numpy as np
from PIL import Image


def odd_pictures(picture):
    """Name → file bytes, all made from one BGR picture."""
    rgb = Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
    transparent = rgb.convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize(rgb.size))
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint16) * 257
    return {
        "grey": _bytes(rgb.convert("L"), "PNG"),
        "cmyk": _bytes(rgb.convert("CMYK"), "JPEG"),
        "transparent": _bytes(transparent, "PNG"),
        "palette": _bytes(rgb.convert("P"), "PNG"),
        "16 bits": cv2.imencode(".png", deep)[1].tobytes(),
        "turned": _bytes(rgb.rotate(90, expand=True), "JPEG", exif=exif),
        "small": _bytes(rgb.resize((9, 7)), "PNG"),
        "long": _bytes(rgb.resize((600, 20)), "PNG"),
    }


def _bytes(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
