import math

from hypothesis import given
from hypothesis import strategies as st

from sandglass.core.geometry import Box, bounding_box, clip_polygon, polygon_area

numbers = st.floats(-1000, 1000, allow_nan=False)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), numbers, numbers, st.floats(0, 500), st.floats(0, 500))


@given(boxes, boxes)
def test_overlap_is_symmetric_and_between_zero_and_one(first, second):
    assert 0 <= first.iou(second) <= 1 + 1e-9
    assert math.isclose(first.iou(second), second.iou(first), abs_tol=1e-12)


@given(boxes)
def test_a_clipped_box_lies_inside_the_picture(box):
    cut = box.clip(300, 200)
    assert 0 <= cut.left <= cut.right <= 300
    assert 0 <= cut.top <= cut.bottom <= 200


@given(boxes)
def test_a_box_is_the_bounding_box_of_its_corners_and_has_their_area(box):
    assert bounding_box(box.to_polygon()) == box
    assert math.isclose(polygon_area(box.to_polygon()), box.area, rel_tol=1e-6, abs_tol=1e-6)


def test_equal_boxes_overlap_fully_and_distant_ones_not_at_all():
    assert Box(0, 0, 10, 10).iou(Box(0, 0, 10, 10)) == 1
    assert Box(0, 0, 10, 10).iou(Box(20, 20, 30, 30)) == 0
    assert Box(0, 0, 0, 0).iou(Box(0, 0, 0, 0)) == 0


def test_corners_are_moved_to_the_edge():
    assert clip_polygon(((-5, 5), (20, 5), (20, 30)), 10, 10) == ((0, 5), (10, 5), (10, 10))
