import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from sandglass.core.annotation import DocumentAnnotation
from sandglass.core.errors import Broken
from sandglass.core.geometry import bounding_box
from sandglass.core.prediction import FieldPrediction, Source
from sandglass.scenarios.ocr.fields import FieldExtractor, LabelledPage, labelled_page
from sandglass.scenarios.ocr.fields.compare import normalised
from sandglass.scenarios.ocr.fields.train import FieldTrainer
from sandglass.scenarios.ocr.page import Page, make_page

Pages = Callable[[range], list[LabelledPage]]
ENGLISH = ("shop", "address", "day", "total")
CHINESE = ("姓名", "出生", "住址", "号码")


def train(pages: list[LabelledPage], fields: tuple[str, ...], *, steps: int, members: int = 1) -> FieldTrainer:
    trainer = FieldTrainer(pages, fields, members=members, steps=steps, seed=1)
    while not trainer.finished:
        trainer.fit(20, lambda: False)
    return trainer


@pytest.fixture(scope="module")
def english(english_pages: Pages) -> FieldTrainer:
    return train(english_pages(range(8)), ENGLISH, steps=90)


def share_right(answers: Iterable[tuple[tuple[FieldPrediction, ...], LabelledPage]]) -> float:
    right = total = 0
    for told, page in answers:
        for name, values in page.values.items():
            total += len(values)
            said = [item.value for item in told if item.key == name and item.value is not None]
            right += sum(any(normalised(value, answer) for answer in said) for value in values)
    return right / total


def test_a_few_documents_are_learnt_by_heart(english: FieldTrainer, english_pages: Pages) -> None:
    extractor = english.extractor()
    pages = english_pages(range(8))
    assert share_right((extractor.extract(page.page), page) for page in pages) >= 0.9


def test_unseen_documents_of_the_same_kind_are_answered(english: FieldTrainer, english_pages: Pages) -> None:
    extractor = english.extractor()
    pages = english_pages(range(100, 110))
    assert share_right((extractor.extract(page.page), page) for page in pages) >= 0.75


def test_chinese_documents_are_learnt(chinese_pages: Pages) -> None:
    extractor = train(chinese_pages(range(8)), CHINESE, steps=90).extractor()
    pages = chinese_pages(range(50, 58))
    assert share_right((extractor.extract(page.page), page) for page in pages) >= 0.85
    dates = [item for page in pages for item in extractor.extract(page.page) if item.key == "出生" and item.value]
    assert dates
    assert all(item.normalised and len(item.normalised) == 10 for item in dates)


def test_answers_name_type_place_and_a_probability(english: FieldTrainer, english_pages: Pages) -> None:
    page = english_pages(range(3, 4))[0]
    told = {item.key: item for item in english.extractor().extract(page.page)}
    assert tuple(told) == ENGLISH
    assert all(0.0 <= item.score <= 1.0 and item.source is Source.LABELLED for item in told.values())
    total = told["total"]
    assert total.normalised == page.values["total"][0]
    place = bounding_box(total.value_polygons[0])
    line = next(box for box, text in zip(page.page.boxes, page.page.texts, strict=True) if text == total.value)
    assert place == pytest.approx(line, abs=0.5)
    day = told["day"]
    whole = next(box for box, text in zip(page.page.boxes, page.page.texts, strict=True) if text.startswith(day.value))
    cut = bounding_box(day.value_polygons[0])
    assert cut.left == pytest.approx(whole.left, abs=0.5)
    assert cut.right < whole.right - 10


def test_saved_extractor_answers_the_same_without_torch(
    english: FieldTrainer, english_pages: Pages, tmp_path: Path
) -> None:
    extractor = english.extractor()
    extractor.save(tmp_path)
    loaded = FieldExtractor.load(tmp_path)
    assert loaded.fields == extractor.fields
    for page in english_pages(range(20, 26)):
        here, there = extractor.probabilities(page.page), loaded.probabilities(page.page)
        np.testing.assert_allclose(np.concatenate(here.characters), np.concatenate(there.characters), atol=1e-4)
        np.testing.assert_allclose(here.lines, there.lines, atol=1e-4)
        np.testing.assert_allclose(here.missing, there.missing, atol=1e-4)
        assert [item.value for item in extractor.extract(page.page)] == [
            item.value for item in loaded.extract(page.page)
        ]
    code = (
        "import sys; from pathlib import Path; from sandglass.scenarios.ocr.fields import FieldExtractor;"
        "from sandglass.scenarios.ocr.page import make_page;"
        "e = FieldExtractor.load(Path(sys.argv[1])); e.extract(make_page(10, 10, ()));"
        "sys.exit(int('torch' in sys.modules or 'sklearn' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 0


@pytest.mark.parametrize("broken", ["fields.onnx", "fields.json"])
@pytest.mark.parametrize("how", ["gone", "cut"])
def test_damaged_model_is_refused_with_a_reason(english: FieldTrainer, tmp_path: Path, broken: str, how: str) -> None:
    english.extractor().save(tmp_path)
    path = tmp_path / broken
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(Broken) as caught:
        FieldExtractor.load(tmp_path)
    assert caught.value.code == "fields_damaged"
    assert str(tmp_path) in caught.value.message.en


def test_interrupted_training_ends_as_if_it_had_not_been(english_pages: Pages, tmp_path: Path) -> None:
    pages = english_pages(range(3))

    def fresh() -> FieldTrainer:
        return FieldTrainer(pages, ENGLISH, members=2, steps=6, seed=3)

    whole = fresh()
    while not whole.finished:
        whole.fit(20, lambda: False)

    part = fresh()
    assert part.material.fields == ENGLISH
    looks = iter([False] * 4 + [True] * 1000)
    part.fit(20, lambda: next(looks))
    assert 0 < part.fraction < 1
    part.save(tmp_path)
    resumed = fresh()
    resumed.restore(tmp_path)
    assert resumed.fraction == part.fraction
    while not resumed.finished:
        resumed.fit(20, lambda: False)

    page = english_pages(range(40, 41))[0].page
    left, right = whole.extractor().probabilities(page), resumed.extractor().probabilities(page)
    np.testing.assert_array_equal(np.concatenate(left.characters), np.concatenate(right.characters))
    np.testing.assert_array_equal(left.lines, right.lines)


def test_a_piece_of_work_ends_in_time_and_when_asked_to_stop(english_pages: Pages) -> None:
    trainer = FieldTrainer(english_pages(range(4)), ENGLISH, members=1)
    assert trainer.fit(0.5, lambda: False).seconds < 3
    before = trainer.fraction
    trainer.fit(20, lambda: True)
    assert trainer.fraction == before


def test_preparing_is_cut_into_pieces_too(english_pages: Pages, tmp_path: Path) -> None:
    whole = FieldTrainer(english_pages(range(3)), ENGLISH, members=1, steps=2, seed=3)
    whole.fit(20, lambda: False)
    pages = english_pages(range(3))
    trainer = FieldTrainer(pages, ENGLISH, members=1, steps=2, seed=3)
    pieces = 0
    while not trainer.finished:
        assert trainer.fraction < 1
        looks = iter([False] * 3 + [True] * 1000)
        trainer.fit(20, lambda looks=looks: next(looks))
        pieces += 1
        trainer.save(tmp_path)
        resumed = FieldTrainer(pages, ENGLISH, members=1, steps=2, seed=3)
        resumed.restore(tmp_path)
    assert pieces > 3
    page = pages[0].page
    np.testing.assert_array_equal(
        whole.extractor().probabilities(page).lines, trainer.extractor().probabilities(page).lines
    )
    resumed.fit(20, lambda: False)
    np.testing.assert_array_equal(
        whole.extractor().probabilities(page).lines, resumed.extractor().probabilities(page).lines
    )


def test_plan_is_shortened_to_the_time_there_is(english_pages: Pages) -> None:
    trainer = FieldTrainer(english_pages(range(4)), ENGLISH, members=2)
    trainer.fit(0.5, lambda: False)
    before = trainer.fraction
    trainer.fit_within(1.0)
    assert trainer.fraction > before
    trainer.fit_within(0.0)
    assert trainer.finished
    assert trainer.ready


def test_absent_field_is_answered_as_missing(make_labelled: Callable[..., LabelledPage]) -> None:
    pages = []
    for number in range(10):
        rows = [[(10, "Name"), (120, f"Anna {'BCDEFGHIJK'[number]}aker")], [(10, f"page {number}")]]
        values = [("name", rows[0][1][1])]
        if number % 2:
            rows.append([(10, "Phone"), (120, f"0{number}-44{number}21")])
            values.append(("phone", rows[-1][1][1]))
        pages.append(make_labelled(rows, values))
    extractor = train(pages, ("name", "phone"), steps=80).extractor()
    for number, page in enumerate(pages):
        phone = next(item for item in extractor.extract(page.page) if item.key == "phone")
        assert (phone.value is not None) == bool(number % 2)
        assert phone.score > 0.5


def test_page_without_lines_misses_everything(english: FieldTrainer) -> None:
    told = english.extractor().extract(make_page(100, 100, ()))
    assert [(item.key, item.value) for item in told] == [(name, None) for name in ENGLISH]


def test_several_values_of_a_field_are_answered(make_labelled: Callable[..., LabelledPage]) -> None:
    pages = []
    for number in range(8):
        prices = [f"{number + 1}.{k}0" for k in range(1, 3 + number % 2)]
        rows = [*([(10, f"item {'abc'[k]}"), (300, price)] for k, price in enumerate(prices)), [(10, f"ref {number}")]]
        pages.append(make_labelled(rows, [("price", price) for price in prices]))
    extractor = train(pages, ("price",), steps=80).extractor()
    for page in pages:
        assert [item.value for item in extractor.extract(page.page)] == list(page.values["price"])


def test_one_document_alone_can_be_learnt(english_pages: Pages) -> None:
    page = english_pages(range(1))[0]
    extractor = train([page], ENGLISH, steps=60).extractor()
    assert share_right([(extractor.extract(page.page), page)]) >= 0.75


def test_odd_training_sets_are_borne(
    english_pages: Pages, make_labelled: Callable[..., LabelledPage], make_rows_page: Callable[..., Page]
) -> None:
    pages = [
        *english_pages(range(2)),
        make_labelled([[(10, "only here"), (200, "X-77")]], [("rare", "X-77")]),
        make_labelled([[(10, "some text")]], [("total", "not on the page at all")]),
        labelled_page(make_rows_page([]), DocumentAnnotation()),
        labelled_page(make_rows_page([[(10, "absent only")]]), DocumentAnnotation(absent=("rare",))),
    ]
    fields = (*ENGLISH, "rare", *(f"field {number}" for number in range(80)))
    trainer = FieldTrainer(pages, fields, members=2, steps=3, threads=2)
    while not trainer.finished:
        trainer.fit(20, lambda: False)
    assert trainer.unplaced["total"] == 1
    assert trainer.unplaced["shop"] == 0
    told = trainer.extractor().extract(pages[0].page)
    assert {item.key for item in told} == set(fields)


def test_pages_without_lines_alone_teach_nothing_and_break_nothing() -> None:
    trainer = FieldTrainer([labelled_page(make_page(10, 10, ()), DocumentAnnotation())], ("a",), members=1)
    trainer.fit(20, lambda: False)
    assert trainer.finished
    assert trainer.ready
    assert trainer.extractor().extract(make_page(10, 10, ()))[0].value is None


def test_no_member_learns_from_the_validation_part(english_pages: Pages) -> None:
    trainer = FieldTrainer(english_pages(range(4)), ENGLISH, validation=english_pages(range(4, 6)), members=2, steps=2)
    assert [set(trainer.material.used_by(member)) for member in range(2)] == [{0, 1, 2, 3}] * 2
    shared = FieldTrainer(
        english_pages(range(4)),
        ENGLISH,
        validation=english_pages(range(4, 8)),
        members=2,
        steps=2,
        share_validation=True,
    )
    left = [set(range(8)) - set(shared.material.used_by(member)) for member in range(2)]
    assert left[0] | left[1] == {4, 5, 6, 7}
    assert not left[0] & left[1]
    shared.fit(30, lambda: False)
    assert len(shared.validation_answers()) == 4
