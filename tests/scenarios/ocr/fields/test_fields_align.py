import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandglass.scenarios.ocr.fields.align import Piece, align
from sandglass.scenarios.ocr.fields.characters import significant


def found(texts: list[str], value: str) -> list[list[str]]:
    alignment = align(texts, value)
    if alignment is None:
        return []
    return [[texts[p.line][p.start : p.end] for p in pieces] for pieces in alignment.occurrences]


@pytest.mark.parametrize(
    ("texts", "value", "expected"),
    [
        (["TOTAL 12.50"], "12.50", [["12.50"]]),
        (["TOTAL 12.50", "CASH 12.50"], "12.50", [["12.50"], ["12.50"]]),
        (["112.50", "12.505", "12.50"], "12.50", [["12.50"]]),
        (["1250", "12.50"], "12.50", [["12.50"]]),
        (["TOTAL $7.00"], "$7.00", [["$7.00"]]),
        (["TOTAL $ 7.00"], "7.00", [["7.00"]]),
        (["ACME STORES SDN BHD (123-X)"], "Acme Stores Sdn Bhd", [["ACME STORES SDN BHD"]]),
        (["ACME STORES", "SDN BHD", "TEL 1"], "ACME STORES SDN BHD", [["ACME STORES", "SDN BHD"]]),
        (
            ["NO 12 LONG LANE", "TEL 03-444", "41200 KLANG"],
            "NO 12 LONG LANE, 41200 KLANG",
            [["NO 12 LONG LANE", "41200 KLANG"]],
        ),
        (["ACME ST0RES SDN BND"], "ACME STORES SDN BHD", [["ACME ST0RES SDN BND"]]),
        (["住址：北京市人民路１２号"], "北京市人民路12号", [["北京市人民路１２号"]]),
        (["姓名张三", "性别男"], "张三", [["张三"]]),
        (["nothing here"], "张三", []),
        (["nothing here"], "...", []),
        ([], "x", []),
    ],
)
def test_value_is_found_where_it_stands(texts: list[str], value: str, expected: list[list[str]]) -> None:
    assert found(texts, value) == expected


def test_only_the_given_lines_are_searched() -> None:
    alignment = align(["a 7.00", "b 7.00"], "7.00", lines=[1])
    assert alignment is not None
    assert alignment.occurrences == ((Piece(1, 2, 6),),)


WORD = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=3, max_size=9)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(WORD, min_size=4, max_size=12),
    cuts=st.integers(0, 3),
    noise=st.integers(0, 2),
    seed=st.integers(0, 999),
)
def test_a_value_cut_over_lines_with_reading_errors_is_found_again(
    words: list[str], cuts: int, noise: int, seed: int
) -> None:
    pick = random.Random(seed)
    places = sorted({0, len(words), *(pick.randrange(1, len(words)) for _ in range(cuts))})
    lines = [" ".join(words[a:b]) for a, b in itertools.pairwise(places)]
    value = " ".join(words)
    read = []
    for line in lines:
        chars = list(line)
        for _ in range(noise if len(significant(line)[0]) > 12 else 0):
            at = pick.randrange(len(chars))
            chars[at] = pick.choice("0158") if chars[at] != " " else " "
        read.append("".join(chars))
    texts = ["77 88 99", *read, "55 44"]
    alignment = align(texts, value)
    assert alignment is not None
    covered = {
        (piece.line, position)
        for piece in alignment.occurrences[0]
        for position in range(piece.start, piece.end)
        if not texts[piece.line][position].isspace()
    }
    wanted = {
        (number, position)
        for number, text in enumerate(read, start=1)
        for position, char in enumerate(text)
        if not char.isspace()
    }
    if noise == 0:
        # The value may also stand in full on one line by chance; then that is an exact occurrence.
        best = max(
            (
                {(p.line, c) for p in pieces for c in range(p.start, p.end) if not texts[p.line][c].isspace()}
                for pieces in alignment.occurrences
            ),
            key=lambda chars: len(chars & wanted),
        )
        assert best == wanted
    else:
        assert len(covered & wanted) >= 0.7 * len(wanted)
        assert not {line for line, _ in covered} - set(range(1, len(read) + 1))
