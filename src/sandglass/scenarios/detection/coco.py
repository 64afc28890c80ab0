"""COCO's 80 labels, and under which other names, English or Chinese, people label the same things."""

import unicodedata
from collections.abc import Sequence

COCO: tuple[str, ...] = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard",
    "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
"""In the order of the published network's outputs (COCO 2017, https://cocodataset.org)."""

CHINESE: dict[str, str] = {
    "person": "人 行人 人员", "bicycle": "自行车 单车", "car": "汽车 轿车 小汽车 车", "motorcycle": "摩托车",
    "airplane": "飞机", "bus": "公交车 巴士 客车", "train": "火车 列车", "truck": "卡车 货车", "boat": "船 船只",
    "traffic light": "红绿灯 交通灯 信号灯", "fire hydrant": "消防栓 消火栓", "stop sign": "停车标志",
    "parking meter": "停车计时器", "bench": "长椅 长凳", "bird": "鸟", "cat": "猫", "dog": "狗 犬", "horse": "马",
    "sheep": "羊 绵羊", "cow": "牛 奶牛", "elephant": "大象", "bear": "熊", "zebra": "斑马", "giraffe": "长颈鹿",
    "backpack": "背包 双肩包", "umbrella": "伞 雨伞", "handbag": "手提包 手袋", "tie": "领带", "suitcase": "行李箱",
    "frisbee": "飞盘", "skis": "滑雪板", "snowboard": "单板滑雪板", "sports ball": "球", "kite": "风筝",
    "baseball bat": "棒球棒", "baseball glove": "棒球手套", "skateboard": "滑板", "surfboard": "冲浪板",
    "tennis racket": "网球拍", "bottle": "瓶子 瓶 酒瓶 水瓶", "wine glass": "酒杯 高脚杯 红酒杯",
    "cup": "杯 杯子 水杯 茶杯 咖啡杯 马克杯", "fork": "叉 叉子 餐叉", "knife": "刀 刀子 餐刀",
    "spoon": "勺 勺子 汤匙 调羹 汤勺", "bowl": "碗 饭碗 汤碗", "banana": "香蕉", "apple": "苹果",
    "sandwich": "三明治", "orange": "橙子 橘子", "broccoli": "西兰花", "carrot": "胡萝卜", "hot dog": "热狗",
    "pizza": "披萨", "donut": "甜甜圈", "cake": "蛋糕", "chair": "椅子", "couch": "沙发", "potted plant": "盆栽",
    "bed": "床", "dining table": "餐桌 桌子", "toilet": "马桶", "tv": "电视 显示器", "laptop": "笔记本电脑 笔记本",
    "mouse": "鼠标", "remote": "遥控器", "keyboard": "键盘", "cell phone": "手机", "microwave": "微波炉",
    "oven": "烤箱", "toaster": "烤面包机", "sink": "水槽", "refrigerator": "冰箱", "book": "书 书本",
    "clock": "时钟 钟", "vase": "花瓶", "scissors": "剪刀", "teddy bear": "泰迪熊", "hair drier": "吹风机",
    "toothbrush": "牙刷",
}  # fmt: skip

ENGLISH: dict[str, str] = {
    "cup": "mug,coffee cup,tea cup,teacup,paper cup", "wine glass": "wineglass,goblet", "bowl": "soup bowl,rice bowl",
    "spoon": "soup spoon,teaspoon", "person": "people,human,pedestrian", "car": "automobile", "tv": "television,monitor",
    "airplane": "aeroplane,plane", "motorcycle": "motorbike", "couch": "sofa", "potted plant": "pottedplant",
    "dining table": "diningtable", "cell phone": "mobile phone,phone,cellphone", "bicycle": "bike", "donut": "doughnut",
}  # fmt: skip


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().replace("_", " ").replace("-", " ").split())


def _names() -> dict[str, int]:
    names = {}
    for number, label in enumerate(COCO):
        others = [*CHINESE[label].split(), *filter(None, ENGLISH.get(label, "").split(","))]
        names.update({_plain(name): number for name in (label, *others)})
        names.setdefault(_plain(label + "s"), number)
    return names


_NUMBERS = _names()


def coco_number(label: str) -> int | None:
    """The number of the COCO label that ``label`` is another name for, in English or Chinese; None for others.

    >>> COCO[coco_number("茶杯")], COCO[coco_number("Wine_Glass")], coco_number("RBC")
    ('cup', 'wine glass', None)
    """
    return _NUMBERS.get(_plain(label))


def same_labels(labels: Sequence[str]) -> dict[int, int]:
    """Position in ``labels`` → number of the COCO label with the same meaning."""
    found = {index: coco_number(label) for index, label in enumerate(labels)}
    return {index: number for index, number in found.items() if number is not None}
