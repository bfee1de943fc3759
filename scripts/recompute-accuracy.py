"""Recomputes the test accuracy of saved weights in float64, from the published formats and formulas alone.

Usage: python3 scripts/recompute-accuracy.py RUN|FILE.safetensors FOLDER [VIEWS]

RUN is the folder of a run, FILE a dense network as `nn-train export` writes it. FOLDER holds test_batch.bin.
VIEWS is 1, 2 or 10, whose scores are added: each image; its mirror image too; both also shifted by a pixel each way.
"""

import json
import os
import sys

import numpy as np

CHUNK = 500


def read_weights(path):
    """Tensors by name, in float64, from a safetensors file of float32 numbers."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").astype(np.float64).reshape(entry["shape"])
        for name, entry in header.items()
    }


def windows(x, field, stride):
    """The parts of x [B, 3, 32, 32] that the filters see, from top to bottom, left to right: each [B, 3 field field]."""
    for y in range(0, 32 - field + 1, stride):
        for left in range(0, 32 - field + 1, stride):
            yield x[:, :, y : y + field, left : left + field].reshape(len(x), -1)


def scores(weights, stride, x):
    """x [B, 3, 32, 32]. Hidden units come by threshold, then window, then filter; every other threshold sees -z."""
    if "linear.weight" in weights:
        return x.reshape(len(x), -1) @ weights["linear.weight"].T + weights["linear.bias"]
    W1, b1 = weights["fc1.weight"], weights["fc1.bias"]
    field = round((W1.shape[1] / 3) ** 0.5)
    seen = list(windows(x, field, stride))
    z = np.hstack([part @ W.T for part, W in zip(seen, np.split(W1, len(seen)))])
    thresholds = len(b1) // len(W1)
    h = np.hstack([z if t % 2 == 0 else -z for t in range(thresholds)]) + b1
    return np.maximum(h, 0) @ weights["fc2.weight"].T + weights["fc2.bias"]


def views(x, count):
    """The images; the mirror images too; both shifted by (dy, dx) too, with the border reflected."""
    shifts = [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)] if count == 10 else [(0, 0)]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), "reflect")
    for side in [padded] if count == 1 else [padded, padded[..., ::-1]]:
        for dy, dx in shifts:
            yield side[:, :, 1 + dy : 33 + dy, 1 + dx : 33 + dx]


def main():
    saved, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1
    stride, mirror = 32, False
    if os.path.isdir(saved):
        with open(os.path.join(saved, "config.json")) as file:
            config = json.load(file)["config"]
        stride, mirror = config.get("receptiveStride") or 32, config.get("mirror", False)
        saved = os.path.join(saved, "last.safetensors")
    weights = read_weights(saved)
    inputs = next(tensor.shape[1] for name, tensor in weights.items() if name in ("fc1.weight", "linear.weight"))
    if inputs != 3072 and not os.path.isdir(sys.argv[1]):
        sys.exit(f"{saved} has receptive fields of {inputs} values; give the folder of its run, which says where they lie")
    records = np.fromfile(os.path.join(folder, "test_batch.bin"), np.uint8).reshape(-1, 3073)
    correct = 0
    for at in range(0, len(records), CHUNK):
        chunk = records[at : at + CHUNK]
        x = (chunk[:, 1:].reshape(-1, 3, 32, 32) - 128.0) / 64
        seen = [side for view in views(x, count) for side in ([view, view[..., ::-1]] if mirror else [view])]
        total = sum(scores(weights, stride, side) for side in seen)
        correct += int((total.argmax(1) == chunk[:, 0]).sum())
    print(f"{correct} of {len(records)} images, {100 * correct / len(records):.2f} %, {count} view{'s' * (count > 1)}")


main()
