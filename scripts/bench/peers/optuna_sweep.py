"""Searches hyperparameters as `nn-train sweep` does, with Optuna and PyTorch in one process, and prints one JSON line.

Usage: FOLDER SEARCH JOBS THREADS WAY. FOLDER holds the six .bin files. SEARCH is JSON: `config`, what `nn-train --print-config`
prints; `space`, of each field its least and largest value and whether it is log-uniform; `trials`. JOBS trials run at the same
time, each with THREADS threads. WAY is how a step is computed:

- autograd: torch.nn.functional, backward and torch.optim.SGD
- float32: by hand, with products of float32 (torch.set_float32_matmul_precision("medium"))
- bfloat16: by hand, with products in bfloat16, in which the images are exact and the weights are rounded to 8 bits
"""

import json
import sys

import numpy as np
import optuna
import torch
import torch.nn.functional as F

from serving import answer, read_training_set

ROW, BLOCK, CLASSES = 32, 1024, 10
threshold_backward = torch.ops.aten.threshold_backward.grad_input


class Images:
    """The training images as p - 128 in int8, which all trials share: of every image and its mirror image, a copy for each
    shift in x, with the rows that a shift in y reflects. What a batch needs is then three blocks of memory for each image."""

    def __init__(self, folder, val, shift):
        pixels, labels, _ = read_training_set(folder)
        order = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)))
        self.validation, self.train = order[:val], order[val:]
        self.labels = torch.from_numpy(labels).long()
        self.shift, self.shifts, self.count = shift, 2 * shift + 1, len(labels)
        planes = torch.from_numpy((pixels ^ 128).view(np.int8)).view(-1, 3, ROW, ROW)
        inside = torch.arange(-shift, ROW + shift).abs()
        reflected = torch.where(inside < ROW, inside, 2 * (ROW - 1) - inside)
        self.rows = ROW + 2 * shift
        copies = torch.empty(self.shifts, 2, self.count, 3, self.rows, ROW, dtype=torch.int8)
        tall = planes[:, :, reflected]
        for dx in range(self.shifts):
            copies[dx, 0] = tall[:, :, :, reflected[dx : dx + ROW]]
            copies[dx, 1] = copies[dx, 0].flip(-1)
        flat = copies.view(-1)
        self.blocks = flat.as_strided(((len(flat) - BLOCK) // ROW + 1, BLOCK), (ROW, 1))
        self.planes = torch.arange(3) * self.rows

    def starts(self, images, random=None, flip=False):
        """The first rows of the planes of some images, augmented at random if there is a generator."""
        n = len(images)
        draw = lambda limit: torch.randint(0, limit, (n,), generator=random)
        mirrored = draw(2) if random and flip else 0
        dx, dy = (draw(self.shifts), draw(self.shifts)) if random else (self.shift, self.shift)
        return (((dx * 2 + mirrored) * self.count + images) * 3 * self.rows + dy).view(n, 1) + self.planes


class Loader:
    """Batches of one training, in memory of its own: X = p - 128 [B, 3072]."""

    def __init__(self, images, size, dtype):
        self.images = images
        self.pixels = torch.empty(size * 3, BLOCK, dtype=torch.int8)
        self.x = torch.empty(size, 3 * BLOCK, dtype=dtype)

    def load(self, starts):
        pixels, x = self.pixels[: 3 * len(starts)], self.x[: len(starts)]
        torch.index_select(self.images.blocks, 0, starts.view(-1), out=pixels)
        return x.copy_(pixels.view(len(x), -1))


class ByHand:
    """scores = X Wt/64 + b, or relu(X W1t/64 + b1) W2t + b2; the factor 1/64 costs nothing within the products."""

    def __init__(self, config, parameters, dtype):
        self.config, self.dtype, self.parameters = config, dtype, parameters
        self.momenta = [torch.zeros_like(p) for p in parameters]
        smoothing = config.get("labelSmoothing", 0)
        self.targets = torch.full((CLASSES, CLASSES), smoothing / CLASSES).fill_diagonal_(1 - smoothing + smoothing / CLASSES)

    def first_layer(self, x):
        W, b = self.parameters[:2]
        if self.dtype == W.dtype:
            return torch.addmm(b, x, W.t(), alpha=1 / 64)
        return torch.mm(x, W.to(self.dtype).t()).float().mul_(1 / 64).add_(b)

    def scores(self, x):
        z = self.first_layer(x)
        return z if len(self.parameters) == 2 else torch.addmm(self.parameters[3], z.relu_(), self.parameters[2].t())

    def step(self, x, y, lr):
        config, mu = self.config, self.config["momentum"]
        z = self.first_layer(x)
        d = z
        if len(self.parameters) == 4:
            W2, b2 = self.parameters[2:]
            p = config["dropout"]
            h = F.dropout(z.relu_(), p) if p > 0 else z.relu_()
            d = torch.addmm(b2, h, W2.t())
        d = torch.softmax(d, 1).sub_(self.targets[y]).mul_(1 / len(y))
        if len(self.parameters) == 4:
            dh = torch.mm(d, W2)
            # h is 0 where relu or dropout stops the gradient.
            threshold_backward(dh, h, 0, grad_input=dh)
            if p > 0:
                dh.mul_(1 / (1 - p))
            self.update(2, d, h, 1, lr, mu)
            d = dh
        self.update(0, d, x, 1 / 64, lr, mu)

    def update(self, at, d, x, scale, lr, mu):
        """The update of torch.optim.SGD, with the product adding to the momentum, so that no gradient is ever stored:
        w += lr mu v;  v = mu (1 - lr decay) v + g + decay w;  w -= lr (1 + mu) v."""
        decay = self.config["weightDecay"]
        (W, b), (v, v_bias) = self.parameters[at : at + 2], self.momenta[at : at + 2]
        W.add_(v, alpha=lr * mu)
        if x.dtype == v.dtype:
            v.addmm_(d.t(), x, beta=mu * (1 - lr * decay), alpha=scale)
        else:
            v.mul_(mu * (1 - lr * decay)).add_(torch.mm(d.to(x.dtype).t(), x), alpha=scale)
        v.add_(W, alpha=decay)
        W.sub_(v, alpha=lr * (1 + mu))
        g = d.sum(0)
        v_bias.mul_(mu).add_(g)
        b.sub_(g.add_(v_bias, alpha=mu), alpha=lr)


class Autograd:
    def __init__(self, config, parameters, _):
        self.config = config
        self.parameters = [p.requires_grad_() for p in parameters]
        groups = [
            {"params": self.parameters[::2], "weight_decay": config["weightDecay"]},
            {"params": self.parameters[1::2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.SGD(groups, lr=config["lr"], momentum=config["momentum"], nesterov=True, fused=True)

    def scores(self, x, training=False):
        x = F.linear(x.mul_(1 / 64), *self.parameters[:2])
        if len(self.parameters) == 2:
            return x
        return F.linear(F.dropout(F.relu(x), self.config["dropout"], training), *self.parameters[2:])

    def step(self, x, y, lr):
        loss = F.cross_entropy(self.scores(x, True), y, label_smoothing=self.config.get("labelSmoothing", 0))
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def initial(config):
    """Weights [out, in] and biases [out], alternating: He, and a tenth of it for the last layer."""
    sizes = [3 * BLOCK] + ([config["hidden"]] if config["model"] == "mlp" else []) + [CLASSES]
    result = []
    for out, inputs in zip(sizes[1:], sizes):
        deviation = (2 / inputs) ** 0.5 * (0.1 if out == CLASSES else 1)
        result += [torch.randn(out, inputs) * deviation, torch.zeros(out)]
    return result


def rate(config, step, steps):
    """A linear rise, then half a cosine to zero."""
    warmup = config["warmup"] * steps
    if step < warmup:
        return config["lr"] * min(1.0, (step + 1) / warmup)
    return config["lr"] * (1 + np.cos(np.pi * (step - warmup) / (steps - warmup))) / 2


def train(config, images, way):
    """Trains one configuration, and returns its accuracy on the validation images after the last epoch."""
    dtype = torch.bfloat16 if way == "bfloat16" else torch.float32
    size, random = config["batchSize"], torch.Generator().manual_seed(config["seed"])
    network = (Autograd if way == "autograd" else ByHand)(config, initial(config), dtype)
    loader = Loader(images, size, dtype)
    steps, step = config["epochs"] * -(-len(images.train) // size), 0
    with torch.set_grad_enabled(way == "autograd"):
        for _ in range(config["epochs"]):
            rows = images.train[torch.randperm(len(images.train), generator=random)]
            starts = images.starts(rows, random, config["flip"])
            for at in range(0, len(rows), size):
                batch = slice(at, at + size)
                network.step(loader.load(starts[batch]), images.labels[rows[batch]], rate(config, step, steps))
                step += 1
    with torch.no_grad():
        correct = 0
        starts = images.starts(images.validation)
        for at in range(0, len(starts), size):
            found = network.scores(loader.load(starts[at : at + size])).argmax(1)
            correct += int((found == images.labels[images.validation[at : at + size]]).sum())
    return correct / len(starts)


def main():
    folder, search, jobs, threads, way = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    config, space = search["config"], search["space"]
    expected = {"optimizer": "sgd", "nesterov": True, "schedule": "cosine", "loss": "softmax", "init": "he"}
    for name, value in expected.items():
        assert config[name] == value, f"{name} {config[name]} is not implemented here"
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("medium")
    torch.manual_seed(config["seed"])
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    images = Images(folder, config["val"], config["shift"])

    def objective(trial):
        drawn = {name: trial.suggest_float(name, low, high, log=log) for name, (low, high, log) in space.items()}
        return train({**config, **drawn}, images, way)

    sampler = optuna.samplers.TPESampler(seed=config["seed"], multivariate=True, constant_liar=jobs > 1)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    # As in nn-train, the first trial is the defaults, moved into the space.
    study.enqueue_trial({name: min(max(config[name], low), high) for name, (low, high, _) in space.items()})
    study.optimize(objective, n_trials=search["trials"], n_jobs=jobs)
    answer({"accuracy": study.best_value, "best": study.best_params})


main()
