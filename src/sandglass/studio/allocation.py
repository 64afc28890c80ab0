"""How many processes each version of a service gets: by traffic weight, and at least one where there is traffic."""

from collections.abc import Mapping

from sandglass.core.errors import InvalidInput
from sandglass.core.text import Text


def allocate(total: int, weights: Mapping[int, int]) -> dict[int, int]:
    """Processes by version number (largest remainder); 0 for a version without traffic, or when ``total`` is 0.

    With more weighted versions than ``total`` each of them still gets one.

    >>> allocate(4, {1: 75, 2: 25})
    {1: 3, 2: 1}
    >>> allocate(1, {1: 90, 2: 10})
    {1: 1, 2: 1}
    """
    shares = {number: weight for number, weight in weights.items() if weight > 0}
    result = dict.fromkeys(weights, 0)
    if total <= 0 or not shares:
        return result
    result |= dict.fromkeys(shares, 1)
    left = total - len(shares)
    if left <= 0:
        return result
    whole = sum(shares.values())
    wanted = {number: max(0.0, total * weight / whole - 1) for number, weight in shares.items()}
    scale = left / sum(wanted.values()) if sum(wanted.values()) else 0.0
    exact = {number: value * scale for number, value in wanted.items()}
    for number, value in exact.items():
        result[number] += int(value)
    rest = total - sum(result.values())
    for number in sorted(shares, key=lambda n: (int(exact[n]) - exact[n], n))[:rest]:
        result[number] += 1
    return result


def check_weights(weights: Mapping[int, int], versions: Mapping[int, int] | set[int]) -> None:
    """Weights must name every version once and sum to 100.

    Raises:
        InvalidInput: ``weights_wrong``.
    """
    known = set(versions)
    unknown = sorted(set(weights) - known)
    missing = sorted(known - set(weights))
    why: Text | None = None
    if unknown:
        names = ", ".join(f"v{number}" for number in unknown)
        why = Text(en=f"there is no {names}", zh=f"没有 {names}")
    elif missing:
        names = ", ".join(f"v{number}" for number in missing)
        why = Text(en=f"{names} has none", zh=f"缺少 {names} 的权重")
    elif any(not 0 <= weight <= 100 for weight in weights.values()):
        why = Text(en="a weight is from 0 to 100", zh="权重范围为 0 到 100")
    elif sum(weights.values()) != 100:
        total = sum(weights.values())
        why = Text(en=f"they sum to {total}, not 100", zh=f"权重之和为 {total}，应为 100")
    if why is not None:
        raise InvalidInput(
            "weights_wrong",
            Text(en=f"The traffic weights are wrong: {why.en}.", zh=f"流量权重有误：{why.zh}。"),
            Text(en="Give every version a weight; together 100.", zh="请为每个版本设置权重，总和为 100。"),
            field="weights",
        )
