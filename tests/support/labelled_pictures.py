"""Small documents and pictures with objects, made on the spot, with labels for some of them."""

import io
import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def page(lines, *, size=(320, 240), scale=0.7):
    """A white page as PNG; ``lines`` are (text, left, baseline)."""
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    for text, left, baseline in lines:
        cv2.putText(pixels, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 1, cv2.LINE_AA)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def document_folder(folder: Path, *, count=4, labelled=(2,)):
    """Pages ``0.png`` …; those whose number is in ``labelled`` have a value of the field ``total`` (TI JSON)."""
    for number in range(count):
        lines = [("Total", 12, 60), (f"{number}2.50", 150, 60), ("THANK YOU", 12, 140)]
        (folder / f"{number}.png").write_bytes(page(lines))
        if number in labelled:
            key = _ti_label((12, 42, 70, 64), "total", "", "k1")
            value = _ti_label((150, 42, 220, 64), "", f"{number}2.50", "", ["k1"])
            told = {"FileName": f"{number}.png", "OcrScene": "STRUCTURE", "OcrLabels": [key, value]}
            (folder / f"{number}.json").write_text(json.dumps(told))
    return folder


def _ti_label(box, key, value, key_id, linked=()):
    left, top, right, bottom = box
    return {
        "FrameType": "FRAME_TYPE_RECTANGLE",
        "Points": [{"X": x, "Y": y} for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))],
        "Key": key,
        "KeyId": key_id,
        "Value": value,
        "KeyIdsForValue": list(linked),
        "Direction": "DIRECTION_HORIZONTAL",
    }


def objects_folder(folder: Path, *, count=3):
    """Pictures ``0.png`` … with one dark square each, labelled ``cup`` (TI JSON)."""
    for number in range(count):
        pixels = np.full((90, 120, 3), 230, np.uint8)
        pixels[20:50, 10 + number : 40 + number] = 40
        Image.fromarray(pixels).save(folder / f"{number}.png")
        shape = {
            "frame_type": "rect",
            "pts": [],
            "bbox": [10 + number, 20, 30, 30],
            "tag": [{"label_key_name": "label", "label_value_name": ["cup"]}],
        }
        told = {"tags": {"detection_tags": {"shapes": [shape]}}, "info": {"path": f"{number}.png"}}
        (folder / f"{number}.json").write_text(json.dumps(told))
    return folder
