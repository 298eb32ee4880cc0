"""The rows of gpu_bench in PyTorch, on the same GPU.

    python tools/gpu/torch_bench.py [--filter TEXT] [--compile] [--json OUT] [--beside GPU_BENCH.json ...]

Times like gpu_bench: the median over samples of CUDA-event times, each sample as many calls as take some milliseconds. `fp32` is
eager with TF32 off, `tf32` with it on, `bf16` eager on operands and results that are bfloat16 from the start, `mixed` (products alone) from
and to float32 with the product in bfloat16, as ours are; --compile adds torch.compile of both fp32 and
bf16 for the rows that are more than one call of a library. Beside results of gpu_bench it prints both times and their ratio
(above 1: ours is faster), compared within one precision.
"""

import argparse
import json
import math
import statistics

import torch
import torch.nn.functional as F

SAMPLE_MS, ALL_MS = 4.0, 400.0


def milliseconds(call):
    def sample(calls):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(calls):
            call()
        end.record()
        end.synchronize()
        return max(1e-6, start.elapsed_time(end) / calls)

    once = sample(1)
    if once < ALL_MS:
        once = sample(1)
    calls = int(min(100, max(1, SAMPLE_MS / once)))
    samples = int(min(25, max(3 if once < ALL_MS else 1, ALL_MS / (once * calls))))
    return statistics.median(sample(calls) for _ in range(samples))


def uniform(*shape, dtype, magnitude=1.0):
    return ((torch.rand(*shape, device='cuda') * 2 - 1) * magnitude).to(dtype)


def name(*extents):
    return '×'.join(map(str, extents))


# Each maker gives the function to time for a dtype. `several`: more than one call of a library, so that compiling can change it.


def similarity(batch, n, m, d):
    def make(dtype, mixed=False):
        a, b = uniform(batch, n, d, dtype=dtype), uniform(batch, m, d, dtype=dtype)
        if mixed:
            return lambda: torch.bmm(a.bfloat16(), b.bfloat16().transpose(1, 2), out_dtype=torch.float32)
        out = torch.empty(batch, n, m, device='cuda', dtype=dtype)
        return lambda: torch.bmm(a, b.transpose(1, 2), out=out)

    make.product = True
    return make


def gemm(m, n, k, trans_a, trans_b):
    def make(dtype, mixed=False):
        a = uniform(k, m, dtype=dtype).t() if trans_a else uniform(m, k, dtype=dtype)
        b = uniform(n, k, dtype=dtype).t() if trans_b else uniform(k, n, dtype=dtype)
        if mixed:  # without the bias that ours adds
            return lambda: torch.mm(a.bfloat16(), b.bfloat16(), out_dtype=torch.float32)
        bias, out = uniform(n, dtype=dtype), torch.empty(m, n, device='cuda', dtype=dtype)
        return lambda: torch.addmm(bias, a, b, out=out)

    make.product = True
    return make


def conv(n, h, w, cin, cout, backward):
    def make(dtype):
        x = uniform(n, cin, h, w, dtype=dtype).to(memory_format=torch.channels_last)
        weight = uniform(cout, cin, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
        if not backward:
            return lambda: F.conv2d(x, weight, padding=1)
        grad = uniform(n, cout, h, w, dtype=dtype).to(memory_format=torch.channels_last)
        return lambda: torch.ops.aten.convolution_backward(
            grad, x, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [True, True, False]
        )

    return make


def info_nce(n, d):
    def loss(audio, text, log_temperature, labels):
        scores = (audio @ text.t()) * torch.exp(-log_temperature).to(audio.dtype)
        return F.cross_entropy(scores.float(), labels) + F.cross_entropy(scores.t().float(), labels)

    def make(dtype, compiled=False):
        if 8 * n * n > 0.5 * torch.cuda.get_device_properties(0).total_memory:
            raise MemoryError(f'the {n}×{n} scores, their float32 copies and gradients do not fit')
        unit = math.sqrt(3 / d)
        audio = uniform(n, d, dtype=dtype, magnitude=unit).requires_grad_()
        text = uniform(n, d, dtype=dtype, magnitude=unit).requires_grad_()
        log_temperature = torch.tensor(-2.659, device='cuda', requires_grad=True)
        labels = torch.arange(n, device='cuda')
        f = torch.compile(loss) if compiled else loss
        return lambda: torch.autograd.grad(f(audio, text, log_temperature, labels), (audio, text, log_temperature))

    make.several = True
    return make


def gru(n, t, cin, hidden, backward):
    def make(dtype):
        layer = torch.nn.GRU(cin, hidden, batch_first=True, bidirectional=True).cuda().to(dtype)
        x = uniform(n, t, cin, dtype=dtype).requires_grad_()
        if not backward:
            return lambda: layer(x)[0]
        out, inputs = layer(x)[0], [x, *layer.parameters()]
        grad = torch.ones_like(out)
        return lambda: torch.autograd.grad(out, inputs, grad, retain_graph=True)

    return make


def frame_score(clips, frames, captions, words, d, reduction, backward):
    def score(x, y, lengths):
        # A caption at a time, as the whole of the products would not fit for long ones.
        scores = []
        for j, length in enumerate(lengths):
            products = torch.relu(x @ y[j, :length].t())  # [clips, frames, words]
            if reduction == 'mean':
                scores.append(products.mean((1, 2)))
            elif reduction == 'max over frames':
                scores.append(products.amax(1).mean(1))
            else:
                scores.append(products.amax(2).mean(1))
        return torch.stack(scores, 1)

    def make(dtype):
        x, y = uniform(clips, frames, d, dtype=dtype), uniform(captions, words, d, dtype=dtype)
        lengths = [words if words == frames else words // 2 + i * words // 2 // captions for i in range(captions)]
        if not backward:
            return lambda: score(x, y, lengths)
        x, y = x.requires_grad_(), y.requires_grad_()
        grad = uniform(clips, captions, dtype=dtype)
        out = score(x, y, lengths)
        return lambda: torch.autograd.grad(out, (x, y), grad, retain_graph=True)

    return make


def top_k(q, n, d, k):
    def make(dtype):
        queries, items = uniform(q, d, dtype=dtype), uniform(n, d, dtype=dtype)
        if q < 100:
            return lambda: torch.topk(queries @ items.t(), k)
        return lambda: [torch.topk(part @ items.t(), k) for part in queries.split(250)]

    return make


def log_mel(seconds, rate=32000, n_fft=1024, hop=320, bands_count=64):
    def bands(pcm, window, filters):
        spectrum = torch.stft(pcm, n_fft, hop, window=window, center=True, pad_mode='reflect', return_complex=True)
        return torch.log(torch.clamp(filters @ (spectrum.real**2 + spectrum.imag**2), min=1e-10))

    def make(dtype, compiled=False):
        if dtype != torch.float32:
            raise NotImplementedError('torch.stft has no bfloat16')
        pcm, filters = uniform(seconds * rate, dtype=dtype), uniform(bands_count, n_fft // 2 + 1, dtype=dtype).abs()
        window = torch.hann_window(n_fft, device='cuda')
        f = torch.compile(bands) if compiled else bands
        return lambda: f(pcm, window, filters)

    make.several = True
    return make


def rows():
    for shape in [(1, 8192, 8192, 512), (1, 32768, 32768, 512), (32, 500, 500, 300)]:
        yield 'similarity', name(*shape), similarity(*shape)
    for m, n, k, trans_a, trans_b, kind in [
        (4096, 4096, 4096, 0, 0, ''),
        (4096, 4096, 4096, 0, 1, ' NT'),
        (4096, 4096, 4096, 1, 0, ' TN'),
        (8192, 8192, 8192, 0, 0, ''),
        (16000, 300, 300, 0, 0, ''),
        (16000, 300, 300, 0, 1, ' NT'),
        (300, 300, 16000, 1, 0, ' TN'),
        (16000, 768, 256, 0, 1, ' NT'),
        (512, 512, 32768, 1, 0, ' TN'),
    ]:
        yield 'gemm', name(m, n, k) + kind, gemm(m, n, k, trans_a, trans_b)
    for shape in [(32, 500, 64, 1, 32), (32, 250, 16, 32, 128), (32, 250, 16, 128, 128)]:
        yield 'conv2d', name(*shape) + ' 3×3', conv(*shape, backward=False)
        yield 'conv2d_backward', name(*shape) + ' 3×3', conv(*shape, backward=True)
    for shape in [(2048, 512), (32768, 512), (262144, 512)]:
        yield 'info_nce', name(*shape), info_nce(*shape)
    for seconds in [10, 7200]:
        yield 'log_mel', f'{seconds} s at 32 kHz, 1024/320, 64 bands', log_mel(seconds)
    yield 'log_mel', '7200 s at 44.1 kHz, 2048/882, 64 bands', log_mel(7200, 44100, 2048, 882)
    yield 'log_mel', '7200 s at 16 kHz, 400/160, 80 bands', log_mel(7200, 16000, 400, 160, 80)
    for n, t, cin, hidden in [(32, 500, 128, 150), (32, 500, 300, 150), (32, 500, 256, 256), (256, 500, 128, 150)]:
        for backward in [False, True]:
            shape = f'{name(n, t, cin)} to 2×{hidden}'
            yield 'gru_backward' if backward else 'gru', shape, gru(n, t, cin, hidden, backward)
    for words in [20, 500]:
        for reduction in ['mean', 'max over frames', 'max over words']:
            for backward in [False, True]:
                shape = (32, 500, 32, words, 300)
                op = 'frame_score_backward' if backward else 'frame_score'
                yield op, f'{name(*shape)} {reduction}', frame_score(*shape, reduction, backward)
    for q, k in [(1, 10), (1, 100), (1, 1000), (8, 10), (1000, 10), (1000, 1000)]:
        yield 'top_k', f'{name(q, 1000000, 512)} best {k}', top_k(q, 1000000, 512, k)


def timed(make, precision, compiled):
    tf32 = precision == 'tf32'
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    if precision == 'mixed':
        return milliseconds(make(torch.float32, mixed=True))
    dtype = torch.bfloat16 if precision == 'bf16' else torch.float32
    return milliseconds(make(dtype, compiled=True) if compiled else make(dtype))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--filter', default='')
    parser.add_argument('--compile', action='store_true')
    parser.add_argument('--json')
    parser.add_argument('--beside', nargs='*', default=[])
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True

    ours = {}
    for file in options.beside:
        with open(file) as f:
            result = json.load(f)
        for row in result['rows']:
            ours[row['op'], row['shape'], result['matmul']] = row['ms']

    print(f'{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, CUDA {torch.version.cuda}')
    print(f'{"op":20} {"shape":44} {"PyTorch":16} {"ms":>10} {"ours ms":>10} {"ratio":>7}')
    results = []
    for op, shape, make in rows():
        if options.filter not in f'{op} {shape}':
            continue
        variants = [(precision, False) for precision in ('fp32', 'tf32', 'bf16')]
        if getattr(make, 'product', False):
            variants.append(('mixed', False))
        if options.compile and getattr(make, 'several', False):
            variants += [('fp32', True), ('bf16', True)]
        for precision, compiled in variants:
            variant = f'{precision} {"compiled" if compiled else "eager"}'
            try:
                ms = timed(make, precision, compiled)
            except (MemoryError, NotImplementedError, RuntimeError) as error:  # a row that this card or torch cannot run
                print(f'{op:20} {shape:44} {variant:16} left out: {str(error).splitlines()[0]}')
                continue
            finally:
                torch.cuda.empty_cache()
            own = ours.get((op, shape, 'bf16' if precision == 'mixed' else precision))
            beside = f'{own:10.4f} {ms / own:7.2f}' if own else ''
            print(f'{op:20} {shape:44} {variant:16} {ms:10.4f} {beside}', flush=True)
            results.append({'op': op, 'shape': shape, 'precision': precision, 'compiled': compiled, 'ms': ms})
    if options.json:
        with open(options.json, 'w') as f:
            card = torch.cuda.get_device_name()
            json.dump({'card': card, 'torch': torch.__version__, 'rows': results}, f, indent=2, ensure_ascii=False)


if __name__ == '__main__':
    main()
