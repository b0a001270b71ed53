#!/usr/bin/env python3
"""Fits the weights and bounds of core/src/conversations/confidence.rs.

Input: files written by `parlance eval … --answers --details FILE`. Standard library only.

    python3 eval/fit_confidence.py details.jsonl [more.jsonl …]

Questions of class `answerable` are positive, all others negative. Every pair of set and class has the same weight, so
that no large set dominates. Logistic regression by Newton's method with a small ridge. Output: the weights for questions
in the bot's language and for those in another, the bounds that meet the goals (answerable but unknown, off topic but
answered, near-miss but confident), and the shares of each set when it is left out of the fit.
"""

import json
import math
import sys
from collections import Counter, defaultdict

NAMES = ["bias", "unit", "passage", "unit_coverage", "passage_coverage"]
RIDGE = 0.05
# Goals, as shares of the class.
REFUSED, OFF_TOPIC, NEAR_MISS = 0.06, 0.04, 0.22
OFF = {"off_topic", "off_natural"}


def read(paths):
    rows = []
    for path in paths:
        for line in open(path, encoding="utf-8"):
            row = json.loads(line)
            features = (row.get("answer") or {}).get("features") or row.get("features")
            if features:
                kind = "answerable" if row["answerable"] else row["class"]
                rows.append((row.get("set", path), kind, features))
    return rows


def vector(features):
    words = 0.0 if features["is_cross_language"] else 1.0
    return [
        1.0,
        features["unit"],
        features["passage"],
        words * features["unit_coverage"],
        words * features["passage_coverage"],
    ]


def solve(matrix, right):
    size = len(right)
    rows = [list(line) + [value] for line, value in zip(matrix, right)]
    for at in range(size):
        pivot = max(range(at, size), key=lambda line: abs(rows[line][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for line in range(size):
            if line != at and rows[at][at]:
                factor = rows[line][at] / rows[at][at]
                rows[line] = [a - factor * b for a, b in zip(rows[line], rows[at])]
    return [rows[at][size] / rows[at][at] for at in range(size)]


def probability(weights, x):
    return 1 / (1 + math.exp(-max(-30, min(30, sum(w * v for w, v in zip(weights, x))))))


def fit(rows):
    counts = Counter((set_name, kind) for set_name, kind, _ in rows)
    data, share = [], Counter()
    for set_name, kind, features in rows:
        label = kind == "answerable"
        weight = 1 / counts[(set_name, kind)]
        data.append((vector(features), label, weight))
        share[label] += weight
    data = [(x, label, weight / share[label]) for x, label, weight in data]
    size = len(NAMES)
    weights = [0.0] * size
    for _ in range(30):
        gradient = [-RIDGE * 0.01 * w for w in weights]
        hessian = [[RIDGE * 0.01 * (a == b) for b in range(size)] for a in range(size)]
        for x, label, weight in data:
            p = probability(weights, x)
            for a in range(size):
                gradient[a] += weight * (label - p) * x[a]
                for b in range(size):
                    hessian[a][b] += weight * p * (1 - p) * x[a] * x[b]
        step = solve(hessian, gradient)
        weights = [w + s for w, s in zip(weights, step)]
        if max(map(abs, step)) < 1e-6:
            break
    return weights


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, max(0, int(share * len(values))))] if values else 0.5


def shares(rows, weights, lowest, sure):
    found = defaultdict(lambda: [0, 0, 0])
    for set_name, kind, features in rows:
        p = probability(weights, vector(features))
        found[(set_name, kind)][0 if p < lowest else 1 if p < sure else 2] += 1
    for (set_name, kind), (unknown, low, high) in sorted(found.items()):
        n = unknown + low + high
        print(f"    {set_name:18} {kind:15} n={n:4}  unknown {unknown / n:.2f}  low {low / n:.2f}  high {high / n:.2f}")


def bounds(rows, weights):
    scores = defaultdict(lambda: defaultdict(list))
    for set_name, kind, features in rows:
        group = "off" if kind in OFF else "answerable" if kind == "answerable" else "near"
        scores[group][set_name].append(probability(weights, vector(features)))
    every = lambda group: [p for values in scores[group].values() for p in values]
    lowest = (quantile(every("answerable"), REFUSED), quantile(every("off"), 1 - OFF_TOPIC))
    return lowest, quantile(every("near"), 1 - NEAR_MISS)


def main():
    rows = read(sys.argv[1:])
    for name, chosen in [
        ("same language", [row for row in rows if not row[2]["is_cross_language"]]),
        ("cross language", [row for row in rows if row[2]["is_cross_language"]]),
    ]:
        if len({kind == "answerable" for _, kind, _ in chosen}) < 2:
            print(f"{name}: too few questions")
            continue
        weights = fit(chosen)
        (by_refused, by_off), sure = bounds(chosen, weights)
        print(f"{name}: " + ", ".join(f"{n}: {w:.3f}" for n, w in zip(NAMES, weights)))
        print(f"  lowest: {by_refused:.3f} refuses {REFUSED:.0%}, {by_off:.3f} answers {OFF_TOPIC:.0%} off topic")
        print(f"  sure: {sure:.3f}")
        lowest = (by_refused + by_off) / 2
        shares(chosen, weights, lowest, sure)
        print("  each set left out of the fit:")
        for out in sorted({set_name for set_name, _, _ in chosen}):
            rest = [row for row in chosen if row[0] != out]
            if len({kind == "answerable" for _, kind, _ in rest}) == 2:
                w = fit(rest)
                (a, b), s = bounds(rest, w)
                shares([row for row in chosen if row[0] == out], w, (a + b) / 2, s)


if __name__ == "__main__":
    main()
