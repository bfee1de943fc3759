"""Trains a recipe of nn-train with PyTorch, from nothing to the accuracy on the test images, and prints one JSON line.

Usage: FOLDER CONFIG THREADS PRECISION. FOLDER holds the six .bin files; CONFIG is what `nn-train --print-config` prints;
PRECISION is that of the products with the images: highest or medium (see torch.set_float32_matmul_precision), or bfloat16,
in which the images are exact and the weights are rounded to 8 bits.

By hand, because that was faster here than autograd: P windows of F filters, T hidden units a filter, B images. With `mirror`,
a batch has its mirror images as a second half, and the scores of an image and of its mirror image are added.
"""

import json
import sys

import numpy as np
import torch

from serving import answer, read_records, read_training_set

# Newton-Schulz steps X <- a X + b (X Xt) X + c (X Xt)^2 X. Source: K. Jordan et al., "Muon" (2024).
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
# Signs of the filter and first biases of the hidden units that share it.
UNITS = {"relu": [(1, 0.0)], "multi-bias": [(1, 0.0), (-1, 0.0), (1, -1.0), (-1, -1.0)]}

threshold_backward = torch.ops.aten.threshold_backward.grad_input


class Views:
    """Every shift of every image and of its mirror image, without a copy of each."""

    def __init__(self, images, shift):
        N, s, side = len(images), shift, 32 + 2 * shift
        self.count, self.shifts = N, 2 * s + 1
        padded = np.empty((2 * N, 3, side, side), np.uint8)
        padded[:N, :, s : s + 32, s : s + 32] = images.reshape(N, 3, 32, 32)
        for i in range(s):  # the border is reflected
            padded[:N, :, i, s : s + 32] = padded[:N, :, 2 * s - i, s : s + 32]
            padded[:N, :, -1 - i, s : s + 32] = padded[:N, :, -1 - 2 * s + i, s : s + 32]
        for i in range(s):
            padded[:N, :, :, i] = padded[:N, :, :, 2 * s - i]
            padded[:N, :, :, -1 - i] = padded[:N, :, :, -1 - 2 * s + i]
        padded[N:] = padded[:N, :, :, ::-1]
        n, c, y, x = padded.strides
        shape = (2 * N, self.shifts, self.shifts, 3, 32, 32)
        self.views = np.lib.stride_tricks.as_strided(padded, shape, (n, y, x, c, y, x))

    def batches(self, random, size, flip):
        """Rows and images of one epoch in batches; what does not fill a batch is left out."""
        order = random.permutation(self.count)
        for at in range(0, self.count - size + 1, size):
            rows = order[at : at + size]
            mirrored = random.integers(0, 2 if flip else 1, size) * self.count
            dy, dx = random.integers(0, self.shifts, (2, size))
            yield rows, self.views[rows + mirrored, dy, dx]


class Network:
    """z = X Wt for each window, h = relu(sign z + b) for each unit of a filter, scores = h W2t + b2."""

    def __init__(self, config, precision):
        self.config = config
        self.dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self.mirror = config.get("mirror", False)
        self.field, self.stride = config.get("receptiveField") or 32, config.get("receptiveStride") or 32
        n = (32 - self.field) // self.stride + 1
        P, F, K = n * n, config["hidden"], 3 * self.field**2
        self.side, self.shape = n, (P, F, K)
        self.signs = [sign for sign, _ in UNITS[config["activation"]]]
        T = len(self.signs)
        self.W1 = torch.randn(P, F, K) * (2 / K) ** 0.5
        self.b1 = torch.stack([torch.full((P * F,), bias) for _, bias in UNITS[config["activation"]]])
        self.W2 = torch.randn(T, 10, P * F) * 0.1 * (2 / (T * P * F)) ** 0.5
        self.b2 = torch.zeros(10)
        self.momenta = [torch.zeros_like(p) for p in (self.W1, self.b1, self.W2, self.b2)]

    def load(self, pixels):
        """Windows [P, B, K] of pixels [B, 3, 32, 32], as (p - 128)/64. Rounding once and copying then is fastest."""
        x = torch.from_numpy(pixels).to(torch.float32).sub_(128).mul_(1 / 64).to(self.dtype)
        if self.mirror:
            x = torch.cat([x, x.flip(3)])
        P, _, K = self.shape
        windows = x.unfold(2, self.field, self.stride).unfold(3, self.field, self.stride)
        return windows.permute(2, 3, 0, 1, 4, 5).reshape(P, len(x), K)

    def forward(self, X):
        P, F, _ = self.shape
        B = X.shape[1]
        z = torch.bmm(X, self.W1.to(self.dtype).transpose(1, 2)).float().transpose(0, 1)
        h = torch.empty(len(self.signs), B, P * F)
        for t, sign in enumerate(self.signs):
            out, bias = h[t].view(B, P, F), self.b1[t].view(P, F)
            (torch.add(z, bias, out=out) if sign > 0 else torch.sub(bias, z, out=out)).relu_()
        scores = torch.bmm(h, self.W2.transpose(1, 2)).sum(0).add_(self.b2)
        return h, scores.view(2, -1, 10).sum(0) if self.mirror else scores

    def step(self, X, y, rate):
        """One update, at `rate` times the peak rates."""
        P, F, _ = self.shape
        B, smoothing = len(y), self.config["labelSmoothing"]
        h, scores = self.forward(X)
        d = torch.softmax(scores, 1).sub_(smoothing / 10)
        d[torch.arange(B), y] -= 1 - smoothing
        d.mul_(1 / B)
        if self.mirror:
            d = d.repeat(2, 1)
        dh = torch.matmul(d, self.W2)
        threshold_backward(dh, h, 0, grad_input=dh)
        dz = dh[0]
        db1, dW2 = dh.sum(1), torch.matmul(d.t(), h)
        for t, sign in enumerate(self.signs[1:], 1):
            dz.add_(dh[t], alpha=sign)
        self.update(X, dz.view(-1, P, F).permute(1, 2, 0), [db1, dW2, d.sum(0)], rate)

    def update(self, X, dzt, head_gradients, rate):
        config, mu = self.config, self.config["momentum"]
        head = [self.b1, self.W2, self.b2]
        decay = config["weightDecay"]
        if config["optimizer"] == "muon":
            lr = config["lr"] * rate
            g = torch.bmm(dzt.to(self.dtype), X)
            v = self.momenta[0].mul_(mu).add_(g)
            self.W1.mul_(1 - lr * decay).sub_(orthogonalised(torch.add(g, v, alpha=mu)), alpha=lr)
            head_lr, head_decay = config["headLr"] * rate, 0.0
        else:
            head_lr, head_decay = config["lr"] * rate, decay
            # The same numbers, with the product adding to the momentum, so that no gradient is ever stored:
            # w += lr mu v;  v = mu (1 - lr decay) v + g + decay w;  w -= lr (1 + mu) v.
            v, kept = self.momenta[0], mu * (1 - head_lr * decay)
            self.W1.add_(v, alpha=head_lr * mu)
            v.baddbmm_(dzt, X, beta=kept) if self.dtype == v.dtype else v.mul_(kept).add_(torch.bmm(dzt.to(self.dtype), X))
            v.add_(self.W1, alpha=decay)
            self.W1.sub_(v, alpha=head_lr * (1 + mu))
        for p, g, v, lam in zip(head, head_gradients, self.momenta[1:], (0.0, head_decay, 0.0)):
            g.add_(p, alpha=lam)
            v.mul_(mu).add_(g)
            p.sub_(g.add_(v, alpha=mu), alpha=head_lr)


def orthogonalised(u):
    """Nearly the polar factor of each block [F, K], from its Gram matrix G = u ut, which is small. In float32: the rounding of
    bfloat16 makes small eigenvalues negative, and then the steps diverge."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    a, b, c = NEWTON_SCHULZ
    G = torch.bmm(u, u.transpose(1, 2))
    # Both bound the largest eigenvalue.
    bound = torch.minimum(G.abs().sum(2).amax(1), torch.linalg.matrix_norm(G)).clamp_(min=1e-30).view(-1, 1, 1)
    G /= bound
    Z = None
    for i in range(NEWTON_SCHULZ_STEPS):
        Q = torch.baddbmm(G, G, G, beta=b, alpha=c)
        Q.diagonal(dim1=1, dim2=2).add_(a)
        Z = Q if Z is None else torch.bmm(Q, Z)
        if i < NEWTON_SCHULZ_STEPS - 1:
            G = torch.bmm(torch.bmm(Q, G), Q)
    polar = torch.bmm(Z.div_(bound.sqrt()), u)
    torch.set_float32_matmul_precision(precision)
    return polar


def schedule(config, step, steps):
    """The share of the peak rate: a linear rise, then a line or half a cosine to zero."""
    warmup = config["warmup"] * steps
    if step < warmup:
        return min(1.0, (step + 1) / warmup)
    p = (step - warmup) / (steps - warmup)
    return {"linear": 1 - p, "cosine": (1 + np.cos(np.pi * p)) / 2, "constant": 1.0}[config["schedule"]]


@torch.inference_mode()
def main():
    folder, config, threads, precision = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("highest" if precision == "highest" else "medium")
    torch.manual_seed(config["seed"])
    random = np.random.default_rng(config["seed"])

    images, labels, _ = read_training_set(folder)
    labels = torch.from_numpy(labels).long()
    views, network, size = Views(images, config["shift"]), Network(config, precision), config["batchSize"]
    steps = config["epochs"] * (len(images) // size)
    step = 0
    for _ in range(config["epochs"]):
        for rows, pixels in views.batches(random, size, config["flip"]):
            network.step(network.load(pixels), labels[torch.from_numpy(rows)], schedule(config, step, steps))
            step += 1

    images, labels = read_records(f"{folder}/test_batch.bin")
    correct = 0
    for at in range(0, len(images), 1000):
        _, scores = network.forward(network.load(images[at : at + 1000].reshape(-1, 3, 32, 32)))
        correct += int((scores.argmax(1).numpy() == labels[at : at + 1000]).sum())
    answer({"accuracy": correct / len(images), "torch": torch.__version__.split("+")[0]})


main()
