"""NumPy in float32, with its own BLAS. Usage: FOLDER."""

import os

import numpy as np

from serving import parameter_shapes, serve, shuffled_batches


def make_stepper(request, images, labels):
    B, mu, decay = request["batch"], np.float32(request["momentum"]), np.float32(request["weightDecay"])
    lr = np.float32(request["learningRate"])
    random = np.random.default_rng(0)
    shapes = parameter_shapes(request)
    weights = [random.standard_normal((o, i), np.float32) * np.float32(deviation) for o, i, deviation in shapes]
    biases = [np.zeros(o, np.float32) for o, _, _ in shapes]
    momenta = [(np.zeros_like(w), np.zeros_like(b)) for w, b in zip(weights, biases)]
    room = [(np.empty_like(w), np.empty_like(b)) for w, b in zip(weights, biases)]
    batches = shuffled_batches(random.permutation, len(labels), B)
    pixels, x = np.empty((B, 3072), np.uint8), np.empty((B, 3072), np.float32)
    rows = np.arange(B)
    last = [None]

    def update(w, g, v, spare, decays):
        if decays:
            np.multiply(w, decay, out=spare)
            g += spare
        v *= mu
        v += g
        np.multiply(v, mu, out=spare)
        g += spare
        g *= lr
        w -= g

    def step():
        chosen = next(batches)
        np.take(images, chosen, axis=0, out=pixels, mode="clip")
        np.subtract(pixels, np.float32(128), out=x, dtype=np.float32)
        np.multiply(x, np.float32(1 / 64), out=x)
        y = labels[chosen]
        inputs = [x]
        for w, b in zip(weights[:-1], biases):
            hidden = inputs[-1] @ w.T
            hidden += b
            inputs.append(np.maximum(hidden, 0, out=hidden))
        logits = inputs[-1] @ weights[-1].T
        logits += biases[-1]
        logits -= logits.max(axis=1, keepdims=True)
        p = np.exp(logits)
        sums = p.sum(axis=1, keepdims=True)
        last[0] = (np.log(sums[:, 0]) - logits[rows, y]).mean()
        p /= sums
        p[rows, y] -= 1
        p *= np.float32(1 / B)
        upstreams = [p]
        if len(inputs) > 1:
            d = p @ weights[1]
            d *= inputs[1] > 0
            upstreams.insert(0, d)
        for i, (d, a) in enumerate(zip(upstreams, inputs)):
            update(weights[i], d.T @ a, momenta[i][0], room[i][0], True)
            update(biases[i], d.sum(axis=0), momenta[i][1], room[i][1], False)

    return step, lambda: last[0]


serve(f"NumPy {np.__version__}", f"BLAS threads: {os.environ['OPENBLAS_NUM_THREADS']}", make_stepper)
