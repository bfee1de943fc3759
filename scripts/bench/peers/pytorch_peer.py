"""PyTorch, as its users write it (autograd and torch.optim) and by hand. Usage: FOLDER THREADS SETTINGS."""

import sys
from functools import partial

import torch
import torch.nn.functional as F

from serving import parameter_shapes, serve, shuffled_batches

FUSED = hasattr(torch, "_fused_sgd_")


def parameters(request):
    """Weights [out, in] and biases [out], alternating."""
    result = []
    for rows, columns, deviation in parameter_shapes(request):
        result += [torch.randn(rows, columns) * deviation, torch.zeros(rows)]
    return result


def make_loader(request, images, labels):
    """A function that returns the next batch: images [B, 3072] = (p - 128)/64, and labels [B], in newly allocated memory."""
    batches = shuffled_batches(torch.randperm, len(labels), request["batch"])
    pixels = torch.empty(request["batch"], 3072, dtype=torch.uint8)
    x = torch.empty(request["batch"], 3072)

    def load():
        rows = next(batches)
        torch.index_select(images, 0, rows, out=pixels)
        x.copy_(pixels).sub_(128).mul_(1 / 64)
        return x, labels[rows]

    return load


def autograd(request, load):
    learnt = [p.requires_grad_() for p in parameters(request)]
    optimizer = torch.optim.SGD(
        learnt,
        lr=request["learningRate"],
        momentum=request["momentum"],
        weight_decay=request["weightDecay"],
        nesterov=True,
        **({"fused": True} if FUSED else {"foreach": True}),
    )
    last = [None]

    def step():
        x, y = load()
        for layer in range(0, len(learnt), 2):
            x = F.linear(x if layer == 0 else F.relu(x), learnt[layer], learnt[layer + 1])
        loss = F.cross_entropy(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        last[0] = loss.detach()

    return step, lambda: last[0]


def by_hand(request, load, update):
    learnt = parameters(request)
    momenta = [torch.zeros_like(p) for p in learnt]
    B = request["batch"]
    rows = torch.arange(B)
    last = [None]

    @torch.no_grad()
    def step():
        x, y = load()
        inputs = [x]
        for layer in range(0, len(learnt) - 2, 2):
            inputs.append(torch.addmm(learnt[layer + 1], inputs[-1], learnt[layer].t()).clamp_(min=0))
        log_p = torch.log_softmax(torch.addmm(learnt[-1], inputs[-1], learnt[-2].t()), 1)
        last[0] = F.nll_loss(log_p, y)
        upstream = log_p.exp_()
        upstream[rows, y] -= 1
        upstream.mul_(1 / B)
        upstreams = [upstream]
        if len(inputs) > 1:
            upstreams.insert(0, (upstream @ learnt[2]).mul_(inputs[1] > 0))
        update(request, learnt, momenta, upstreams, inputs)

    return step, lambda: last[0]


def update_fused(request, learnt, momenta, upstreams, inputs):
    gradients = []
    for d, x in zip(upstreams, inputs):
        gradients += [d.t() @ x, d.sum(0)]
    for first, decay in ((0, request["weightDecay"]), (1, 0.0)):
        torch._fused_sgd_(
            learnt[first::2],
            gradients[first::2],
            momenta[first::2],
            weight_decay=decay,
            momentum=request["momentum"],
            lr=request["learningRate"],
            dampening=0.0,
            nesterov=True,
            maximize=False,
            is_first_step=False,
        )


def update_foreach(request, learnt, momenta, upstreams, inputs):
    gradients = []
    for d, x in zip(upstreams, inputs):
        gradients += [d.t() @ x, d.sum(0)]
    torch._foreach_add_(gradients[::2], learnt[::2], alpha=request["weightDecay"])
    torch._foreach_mul_(momenta, request["momentum"])
    torch._foreach_add_(momenta, gradients)
    torch._foreach_add_(learnt, gradients, alpha=-request["learningRate"])
    torch._foreach_add_(learnt, momenta, alpha=-request["learningRate"] * request["momentum"])


def update_accumulating(request, learnt, momenta, upstreams, inputs):
    """The same numbers, with the product adding to the momentum, so that no gradient is ever stored:
    w += lr mu v;  v = mu (1 - lr decay) v + g + decay w;  w -= lr (1 + mu) v."""
    lr, mu, decay = request["learningRate"], request["momentum"], request["weightDecay"]
    torch._foreach_add_(learnt, momenta, alpha=lr * mu)
    for d, x, v, v_bias in zip(upstreams, inputs, momenta[::2], momenta[1::2]):
        v.addmm_(d.t(), x, beta=mu * (1 - lr * decay))
        v_bias.mul_(mu).add_(d.sum(0))
    torch._foreach_add_(momenta[::2], learnt[::2], alpha=decay)
    torch._foreach_add_(learnt, momenta, alpha=-lr * (1 + mu))


WAYS = {"autograd": autograd}
for name, update in {
    "fused": update_fused if FUSED else None,
    "foreach": None if FUSED else update_foreach,
    "accumulating": update_accumulating,
}.items():
    if update:
        WAYS[f"by hand, {name}"] = partial(by_hand, update=update)

# "medium" allows oneDNN for products in float32, which on some processors is twice as fast as the BLAS. It may, but on
# most of them does not, round to bfloat16.
PRECISIONS = ["highest", "medium"] if FUSED else ["highest"]
MODES = [way if precision == "highest" else f"{way}, {precision}" for way in WAYS for precision in PRECISIONS]


def make_stepper(request, images, labels):
    load = make_loader(request, torch.from_numpy(images), torch.from_numpy(labels).long())
    way = request["mode"].replace(", medium", "")
    torch.set_float32_matmul_precision("highest" if way == request["mode"] else "medium")
    return WAYS[way](request, load)


torch.set_num_threads(int(sys.argv[2]))
serve(f"PyTorch {torch.__version__.split('+')[0]}", sys.argv[3], make_stepper, MODES)
