"""Everything that a reader or writer may report, in one table: how it weighs, what is wrong, what happens to it."""

from pathlib import Path

from sandglass.core.errors import SandglassError
from sandglass.core.finding import Finding, Severity
from sandglass.core.text import Text

_W, _N, _E = Severity.WARNING, Severity.NOTE, Severity.ERROR
_LEFT_OUT = Text(en="It is left out.", zh="已跳过。")
_PICTURE_OUT = Text(en="The picture is left out.", zh="该图片已跳过。")
_UNLABELLED = Text(en="The picture is taken without a label.", zh="该图片按未标注导入。")

_TABLE: dict[str, tuple[Severity, Text, Text]] = {
    "picture_unreadable": (_W, Text(en="The picture cannot be read: {what}", zh="图片无法读取：{what}"), _PICTURE_OUT),
    "picture_damaged": (_W, Text(en="The picture is damaged or cut off.", zh="图片已损坏或不完整。"), _PICTURE_OUT),
    "wrong_suffix": (
        _N,
        Text(en="The file is {what}, which its name does not say.", zh="文件实际为 {what}，与扩展名不符。"),
        Text(en="It is read by its content.", zh="按实际内容读取。"),
    ),
    "label_without_picture": (
        _W,
        Text(en="There is no picture for '{what}'.", zh="找不到“{what}”对应的图片。"),
        _LEFT_OUT,
    ),
    "ambiguous_picture": (
        _W,
        Text(en="Several pictures are named '{what}'.", zh="有多张图片名为“{what}”。"),
        _LEFT_OUT,
    ),
    "picture_without_label": (_N, Text(en="The picture has no label.", zh="图片没有标注。"), _UNLABELLED),
    "duplicate_label": (
        _W,
        Text(en="'{what}' is labelled a second time.", zh="“{what}”被重复标注。"),
        Text(en="The first label is kept.", zh="保留第一个标注。"),
    ),
    "label_unreadable": (_W, Text(en="The label cannot be read: {what}", zh="标注无法读取：{what}"), _UNLABELLED),
    "line_unreadable": (_W, Text(en="The line cannot be read: {what}", zh="该行无法读取：{what}"), _LEFT_OUT),
    "file_unreadable": (_W, Text(en="The file cannot be read: {what}", zh="文件无法读取：{what}"), _LEFT_OUT),
    "file_empty": (_W, Text(en="The file is empty.", zh="文件为空。"), _LEFT_OUT),
    "encoding": (
        _N,
        Text(en="The file is not UTF-8 but {what}.", zh="文件不是 UTF-8，而是 {what}。"),
        Text(en="It is read as {what}.", zh="按 {what} 读取。"),
    ),
    "wrong_columns": (_W, Text(en="{what}", zh="{what}"), _LEFT_OUT),
    "box_outside": (
        _W,
        Text(en="The box '{what}' reaches outside the picture.", zh="标注框“{what}”超出图片范围。"),
        Text(en="It is cut at the edge.", zh="已按图片边缘裁剪。"),
    ),
    "box_without_area": (_W, Text(en="The box '{what}' has no area.", zh="标注框“{what}”面积为零。"), _LEFT_OUT),
    "box_unreadable": (_W, Text(en="The box cannot be read: {what}", zh="标注框无法读取：{what}"), _LEFT_OUT),
    "label_empty": (_W, Text(en="The label has no name.", zh="标签名称为空。"), _LEFT_OUT),
    "unsafe_path": (
        _W,
        Text(en="'{what}' points outside the folder.", zh="“{what}”指向文件夹之外。"),
        _LEFT_OUT,
    ),
    "unknown_key": (
        _W,
        Text(en="'{what}' links to a key that does not exist.", zh="“{what}”关联了不存在的 key。"),
        Text(en="The link is left out.", zh="该关联已跳过。"),
    ),
    "unknown_class": (
        _W,
        Text(en="The class number {what} has no name.", zh="类别编号 {what} 没有名称。"),
        Text(en="Its number is taken as its name.", zh="以编号作为名称。"),
    ),
    "not_held": (
        _W,
        Text(en="This format cannot hold {what}.", zh="该格式无法保存{what}。"),
        Text(en="It is not written.", zh="未写出。"),
    ),
    "split_without_picture": (
        _W,
        Text(en="The split names '{what}', which is not there.", zh="划分文件中的“{what}”不存在。"),
        _LEFT_OUT,
    ),
    "nothing_found": (
        _E,
        Text(en="The folder has no picture.", zh="文件夹中没有图片。"),
        Text(en="Choose another folder.", zh="请选择其他文件夹。"),
    ),
}
CODES = tuple(_TABLE)


def report(
    code: str, file: Path | str | None = None, *, line: int | None = None, what: object = "", count: int = 1
) -> Finding:
    """A finding of the table, with ``what`` (the offending thing, shortened if long) put into its sentence.

    An error or a `Text` as ``what`` is told in both languages.
    """
    severity, message, outcome = _TABLE[code]
    told = what.message if isinstance(what, SandglassError) else what
    told = told if isinstance(told, Text) else Text(en=str(told), zh=str(told))

    def fill(text: Text) -> Text:
        return Text(en=text.en.replace("{what}", _short(told.en)), zh=text.zh.replace("{what}", _short(told.zh)))

    return Finding(
        code=code,
        severity=severity,
        message=fill(message),
        outcome=fill(outcome),
        file=None if file is None else Path(file).as_posix(),
        line=line,
        count=count,
    )


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:157] + "…"
