import io

import numpy as np
import pytest
from PIL import Image

from sandglass.core.errors import InvalidInput, TooLarge
from sandglass.core.picture import decode_picture, picture_size


def encode(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def coloured(mode="RGB"):
    return Image.new("RGB", (40, 20), (200, 100, 50)).convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF"])
def test_every_format_gives_the_same_colour(kind):
    data = encode(coloured(), kind)
    picture = decode_picture(data)
    assert picture.shape == (20, 40, 3)
    assert picture.dtype == np.uint8
    assert np.abs(picture[10, 20].astype(int) - (50, 100, 200)).max() <= 12
    assert picture_size(data) == (40, 20)


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA", "LA", "1", "I;16"])
def test_every_colour_mode_becomes_three_channels(mode):
    if mode == "I;16":
        image = Image.fromarray((np.arange(800).reshape(20, 40) * 80).astype(np.uint16))
    elif mode == "CMYK":
        image = coloured("CMYK")
    else:
        image = coloured(mode)
    picture = decode_picture(encode(image, "TIFF" if mode in ("CMYK", "I;16") else "PNG"))
    assert picture.shape == (20, 40, 3)
    if mode == "I;16":
        assert picture[19, 39, 0] > picture[0, 0, 0] + 100


def test_transparency_is_laid_on_white():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert (decode_picture(encode(clear)) == 255).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_rotation_is_honoured(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (40, 20))
    image.paste((255, 255, 255), (0, 0, 20, 20))
    data = encode(image, kind, exif=exif)
    picture = decode_picture(data)
    assert picture.shape == (40, 20, 3)
    assert picture_size(data) == (20, 40)
    assert picture[5].mean() > 250 > 5 > picture[35].mean()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "picture_empty"),
        (b"hello, I am no picture", "picture_unreadable"),
        (b"%PDF-1.7", "picture_unreadable"),
        (encode(Image.effect_noise((200, 200), 90).convert("RGB"), "JPEG")[:3000], "picture_unreadable"),
        (encode(Image.effect_noise((200, 200), 90))[:3000], "picture_unreadable"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_to_do(data, code):
    with pytest.raises(InvalidInput) as caught:
        decode_picture(data, "a.jpg")
    assert caught.value.code == code
    assert "a.jpg" in caught.value.message.en
    assert "a.jpg" in caught.value.message.zh


def test_a_huge_picture_is_refused_before_it_is_decoded():
    with pytest.raises(TooLarge) as caught:
        decode_picture(encode(Image.new("1", (2000, 2000))), max_pixels=1_000_000)
    assert caught.value.code == "picture_too_large"


def test_a_decompression_bomb_is_refused():
    bomb = encode(Image.new("1", (30000, 30000)))
    assert len(bomb) < 200_000
    with pytest.raises(TooLarge):
        decode_picture(bomb)


@pytest.mark.parametrize("size", [10, 40, 75, 130, 500])
def test_a_small_picture_is_the_large_one_made_small(size):
    from sandglass.core.picture import decode_small

    picture = Image.fromarray(np.dstack([np.linspace(0, 255, 400 * 300).reshape(300, 400).astype(np.uint8)] * 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind, options in (("JPEG", {"exif": exif, "quality": 95}), ("PNG", {"exif": exif})):
        buffer = io.BytesIO()
        picture.save(buffer, kind, **options)
        small = decode_small(buffer.getvalue(), size)
        longest = min(size, 400)
        assert small.shape == (longest, round(longest * 0.75), 3)
        whole = decode_picture(buffer.getvalue())
        assert abs(float(small.mean()) - float(whole.mean())) < 3
        assert abs(float(small[0, -1].mean()) - float(whole[0, -1].mean())) < 20, "the same corner"
