# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coverage, frontier and pools of 2,000 random fleets of at most 12 classes, against brute force.

The fleets have one or two layers (views of a CPU), features that build on each other as those of
generations of processors do, and some that are anybody's. What is compared is the value: several
choices may be as good. What was chosen is then valued here, too.
"""

import json
import random
import subprocess
import sys

FLEETS = 2000
EXACT = 12      # POOLS_EXACT: with more classes the best is only searched for
LARGER = 20


def fleet(rnd, most=12, n=0):
    n = n or min(rnd.randint(1, most), rnd.randint(1, most) + 2)
    layers = []
    for _ in range(rnd.choice((1, 1, 2))):
        m = rnd.randint(1, 14)
        ages = [rnd.random() for _ in range(n)]
        having = []
        for _ in range(m):
            since = rnd.random()
            having.append([i for i in range(n)
                           if (ages[i] >= since) != (rnd.random() < rnd.choice((0, 0.1, 0.5)))])
        layers.append({"values": [rnd.choice((0, 1, 1, 2, 5, 20)) for _ in range(m)],
                       "having": having, "pins": []})
    hosts = [rnd.randint(1, 6) for _ in range(n)]
    weights = hosts if rnd.random() < 0.6 else [rnd.randint(0, 9) for _ in range(n)]
    weights = weights if sum(weights) else hosts
    return {"hosts": hosts, "weights": weights, "layers": layers,
            "spread": [rnd.choice((-1, -2, 0, 0, 1, 2)) for _ in range(n)]}


def masks(layer, n):
    rows = [0] * n
    for atom, classes in enumerate(layer["having"]):
        for i in classes:
            rows[i] |= 1 << atom
    return rows


class Worth:
    """What sets of classes are worth, by layer: each computed once."""

    def __init__(self, problem):
        self.n = len(problem["hosts"])
        self.tables = []
        for layer in problem["layers"]:
            rows, values = masks(layer, self.n), layer["values"]
            pin = sum(1 << a for a in layer["pins"])
            whole = (1 << len(values)) - 1
            common, worth, seen = [whole] * (1 << self.n), [0] * (1 << self.n), {}
            for mask in range(1, 1 << self.n):
                low = mask & -mask
                row = common[mask ^ low] & rows[low.bit_length() - 1]
                common[mask] = row
                if row not in seen:
                    seen[row] = sum(v for a, v in enumerate(values) if row >> a & 1)
                worth[mask] = seen[row]
            self.tables.append((common, worth, pin))

    def best(self, mask, pins=False):
        found = [worth[mask] for common, worth, pin in self.tables
                 if not pins or common[mask] & pin == pin]
        return max(found) if found else None


def weights_of(numbers):
    table = [0]
    for number in numbers:
        table += [number + other for other in table]
    return table


def brute_coverage(problem, worth, need):
    weight, best = weights_of(problem["weights"]), None
    for mask in range(1, 1 << worth.n):
        if weight[mask] >= need:
            value = worth.best(mask, True)
            if value is not None and (best is None or value > best):
                best = value
    return best


def brute_frontier(problem, worth):
    """Weight left out → value, where each is worth its price."""
    weight, points = weights_of(problem["weights"]), {}
    total = weight[-1]
    for mask in range(1, 1 << worth.n):
        value = worth.best(mask, True)
        if value is not None and weight[mask]:
            left = total - weight[mask]
            points[left] = max(points.get(left, -1), value)
    steps, last = [], -1
    for left in sorted(points):
        if points[left] > last:
            last = points[left]
            steps.append((left, last))
    return steps


def place(problem, mask):
    here = {problem["spread"][i] for i in range(len(problem["hosts"])) if mask >> i & 1} - {-1}
    return -2 in here or len(here) > 1


def partitions(n, most):
    """All partitions of n classes into at most so many pools."""
    def go(i, parts):
        if i == n:
            yield parts
            return
        for k, part in enumerate(parts):
            yield from go(i + 1, parts[:k] + [part | 1 << i] + parts[k + 1:])
        if len(parts) < most:
            yield from go(i + 1, parts + [1 << i])
    return go(0, [])


def brute_group(problem, worth, most, question):
    """Number of pools → best value; {} where nothing fits."""
    hosts, best, pool = weights_of(problem["hosts"]), {}, {}

    def value(mask):
        if mask not in pool:
            fits = hosts[mask] >= question["min_size"] and (
                not question["apart"] or place(problem, mask))
            pool[mask] = worth.best(mask) * hosts[mask] if fits else None
        return pool[mask]

    for parts in partitions(worth.n, most):
        values = [value(mask) for mask in parts]
        if None not in values:
            best[len(parts)] = max(best.get(len(parts), -1), sum(values))
    return best


def brute_pools(question, worths):
    sums = {0: 0}
    fits = True
    for problem, worth in zip(question["groups"], worths):
        most = question["max"] - len(worths) + 1
        best = brute_group(problem, worth, min(most, worth.n), question)
        if not best:
            fits = False
            everything = (1 << worth.n) - 1
            best = {1: worth.best(everything) * sum(problem["hosts"])}
        after = {}
        for used, value in sums.items():
            for own, more in best.items():
                if used + own <= question["max"]:
                    after[used + own] = max(after.get(used + own, -1), value + more)
        sums = after
    return max(sums.values()), fits


def check_coverage(problem, worth, answer):
    best = brute_coverage(problem, worth, problem["need"])
    if answer is None or best is None:
        return answer is None and best is None
    kept = (1 << worth.n) - 1 - sum(1 << i for i in answer["dropped"])
    weight = weights_of(problem["weights"])
    return (answer["value"] == best == answer["bound"] == worth.best(kept, True)
            and weight[kept] >= problem["need"]
            and answer["weight"] == weight[-1] - weight[kept])


def check_pools(question, worths, answer):
    best, fits = brute_pools(question, worths)
    total = 0
    seen = [0] * len(worths)
    for group, classes in answer["pools"]:
        mask = sum(1 << i for i in classes)
        if seen[group] & mask or not mask:
            return False
        seen[group] |= mask
        total += worths[group].best(mask) * sum(question["groups"][group]["hosts"][i] for i in classes)
    whole = all(mask == (1 << worth.n) - 1 for mask, worth in zip(seen, worths))
    return (whole and len(answer["pools"]) <= question["max"] and fits == answer["fits"]
            and total == answer["value"] <= best <= answer["bound"]
            and (total == best == answer["bound"] or max(w.n for w in worths) > EXACT))


def questions(rnd):
    problem = fleet(rnd)
    total = sum(problem["weights"])
    coverage = dict(problem, need=max(1, rnd.randint(0, total)))
    if rnd.random() < 0.2:
        for layer in coverage["layers"]:
            layer["pins"] = [rnd.randrange(len(layer["values"]))]
    groups = [fleet(rnd, rnd.choice((4, 5, 6, 7))) for _ in range(rnd.choice((1, 1, 2, 3)))]
    if rnd.random() < 0.03:
        groups = [fleet(rnd)]
    pools = {"groups": groups, "max": len(groups) + rnd.randint(0, 2),
             "min_size": rnd.choice((0, 0, 1, 3, 8)), "apart": rnd.random() < 0.3}
    return [coverage, {key: value for key, value in coverage.items() if key != "need"}, pools]


def main():
    rnd = random.Random(20261130)
    asked = [question for _ in range(FLEETS) for question in questions(rnd)]
    asked += [{"groups": [fleet(rnd, n=13)], "max": 2, "min_size": rnd.choice((0, 4)), "apart": False}
              for _ in range(LARGER)]
    text = "".join(json.dumps(question) + "\n" for question in asked)
    lines = subprocess.run(["./plan-solve"], input=text, capture_output=True, text=True,
                           check=True).stdout.splitlines()
    bad = 0 if len(lines) == len(asked) else 1
    for question, line in zip(asked, lines):
        answer = json.loads(line)
        if "groups" in question:
            fine = check_pools(question, [Worth(group) for group in question["groups"]], answer)
        elif "need" in question:
            fine = check_coverage(question, Worth(question), answer)
        else:
            fine = ([(step["weight"], step["value"]) for step in answer]
                    == brute_frontier(question, Worth(question)))
        if not fine:
            bad += 1
            if bad < 4:
                print("not ok:", json.dumps(question), line)
    print(f"{FLEETS} fleets, {len(lines)} answers, {bad} wrong")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
