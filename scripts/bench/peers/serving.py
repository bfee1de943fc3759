"""The life of a peer in Python: says hello, then trains on request until stdin ends. See serve.mjs."""

import json
import sys
import time

import numpy as np

LEAST_STEPS = 3
WARM_UP = 0.25


def read_training_set(folder):
    """The 50,000 training images and labels as bytes, and how long it took to read them."""
    started = time.perf_counter()
    images = np.empty((50_000, 3072), np.uint8)
    labels = np.empty(50_000, np.uint8)
    for i in range(5):
        rows = slice(i * 10_000, (i + 1) * 10_000)
        images[rows], labels[rows] = read_records(f"{folder}/data_batch_{i + 1}.bin")
    return images, labels, time.perf_counter() - started


def read_records(file):
    """Images [10,000, 3072] and labels [10,000] of a file, as bytes."""
    records = np.fromfile(file, np.uint8).reshape(10_000, 3073)
    return records[:, 1:], records[:, 0]


def shuffled_batches(permutation, count, batch):
    """Batches of row numbers without end, shuffled anew for each epoch; what does not fill a batch is left out."""
    while True:
        order = permutation(count)
        for at in range(0, count - batch + 1, batch):
            yield order[at : at + batch]


def parameter_shapes(request):
    """Out, in and the deviation to start with: He, and a tenth of it for the last layer."""
    sizes = [3072] + ([request["hidden"]] if request["hidden"] else []) + [10]
    layers = list(zip(sizes[1:], sizes))
    return [(o, i, (2 / i) ** 0.5 * (0.1 if n == len(layers) - 1 else 1)) for n, (o, i) in enumerate(layers)]


def serve(name, settings, make_stepper, modes=("default",)):
    """`make_stepper(request, images, labels)` returns two functions: step() and loss()."""
    folder = sys.argv[1]
    images, labels, seconds = read_training_set(folder)
    answer({"ready": True, "name": name, "settings": settings, "modes": modes, "loadSeconds": seconds})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request.get("load"):
                answer({"loadSeconds": read_training_set(folder)[2]})
            else:
                answer(measure(request, *make_stepper(request, images, labels)))
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


def measure(request, step, loss):
    train(step, loss, request["seconds"] * WARM_UP, 1)
    steps, seconds, last = train(step, loss, request["seconds"], LEAST_STEPS)
    return {"imagesPerSecond": steps * request["batch"] / seconds, "loss": last, "steps": steps}


def train(step, loss, wanted, least):
    started = time.perf_counter()
    steps = 0
    while steps < least or time.perf_counter() - started < wanted:
        step()
        steps += 1
    last = float(loss())
    return steps, time.perf_counter() - started, last


def answer(values):
    print(json.dumps(values), flush=True)
