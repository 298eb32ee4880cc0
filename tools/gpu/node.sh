#!/bin/bash
# The Node side on a machine with a GPU, from the bundle (tools/gpu/bundle.sh) or a built clone.
#
#   tools/gpu/node.sh [--out FOLDER] [--only STAGE,…]
#
#   cases      every case of the shared suite on the GPU, against the float64 reference
#   step       a training step of the thesis CRNN beside PyTorch, where python3 has it: 32 clips of 10 s and of 30 s, eager and compiled
#   mixed      the same step with products in bf16
#   graphs     steps with and without CUDA graphs in turn, of a batch of the thesis and of a small one
#   profile    the same step with a wait after every op, to see where its time goes
#   crnn       the thesis CRNN trained from scratch with three ways of choosing negatives, three seeds each, to the quality of its end
#   negatives  the quick mode of the study of negatives
#
# Exit code: 0 when every stage did well, 1 when one did not, 2 on bad usage, 3 without a GPU: then the cases are run on the CPU, which
# shows that what is here is whole, and nothing else is done.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/build/gpu-results
only=cases,step,mixed,graphs,profile,crnn,negatives
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2 ;;
    --only) only=$2 ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  [ $# -ge 2 ] || exec "$0" --help
  shift 2
done
mkdir -p "$out"
node=$root/node
[ -x "$node" ] || node=$root/node_modules/.bin/node
bench=$root/packages/bench/dist/suites
python=$(command -v python3 || true)
failed=0

stage() {
  local name=$1 limit=$2 began=$SECONDS code
  shift 2
  case ",$only," in *",${name%%-*},"*) ;; *) return ;; esac
  timeout -k 5 "$limit" "$@" >"$out/$name.txt" 2>&1
  code=$?
  [ $code -eq 0 ] || failed=1
  echo "$name: $([ $code -eq 0 ] && echo ok || echo "FAILED ($code)") in $((SECONDS - began)) s: $(grep -v '^ *$' "$out/$name.txt" | tail -n 1)" |
    tee -a "$out/summary-node.txt"
}

: >"$out/summary-node.txt"
# Why the addon has no device, if it has none.
reason=$(cd "$root" && "$node" --input-type=module -e "
  import { openBackend } from '@sonotext/core/backend'
  try { openBackend({ device: 'cuda' }) }
  catch (error) { console.log(error.message); process.exitCode = error.code === 'BACKEND_UNAVAILABLE' ? 3 : 1 }" 2>&1)
without=$?
if [ $without -ne 0 ]; then
  echo "$reason" | tee -a "$out/summary-node.txt"
  [ $without -eq 3 ] && stage cases-cpu 240 "$node" "$root/tools/gpu/cases.mjs" cpu
  echo "Nothing was done on a GPU." | tee -a "$out/summary-node.txt"
  [ $failed -eq 0 ] && failed=$without
  exit $failed
fi
stage cases 90 "$node" "$root/tools/gpu/cases.mjs"
stage step-10s 90 "$node" "$bench/training.js" --device cuda --pytorch "$python" --frames 500 --rounds 20 \
  --markdown "$out/step-10s.md" --json "$out/step-10s.json"
stage step-30s 90 "$node" "$bench/training.js" --device cuda --pytorch "$python" --frames 1500 --rounds 10 \
  --markdown "$out/step-30s.md" --json "$out/step-30s.json"
stage step-compiled 120 env SONOTEXT_TORCH_COMPILE=1 "$node" "$bench/training.js" --device cuda --pytorch "$python" --frames 1500 \
  --rounds 10 --markdown "$out/step-compiled.md" --json "$out/step-compiled.json"
for frames in 500 1500; do
  stage mixed-$frames 60 env SONOTEXT_MATMUL=bf16 "$node" "$bench/training.js" --device cuda --frames $frames --rounds 10 \
    --json "$out/mixed-$frames.json"
done
for round in 1 2 3; do
  for graphs in 0 1; do
    for size in 32x500 8x100; do
      stage graphs-$size-$graphs-$round 60 env SONOTEXT_CUDA_GRAPHS=$graphs "$node" "$bench/training.js" --device cuda \
        --batch ${size%x*} --frames ${size#*x} --rounds 20 --json "$out/graphs-$size-$graphs-$round.json"
    done
  done
done
stage profile 60 env SONOTEXT_SYNC=1 "$node" "$bench/training.js" --device cuda --rounds 5 --frames 500
# A study of some cells, from scratch: its scenes are synthesised where they are not there yet.
study() {
  "$node" "$bench/negatives.js" --device cuda --skip-cost --jobs 6 --work "$out/study" "$@"
}
export -f study
export node bench out
for strategy in random info-nce semi-hard; do
  stage crnn-$strategy 120 bash -c "study --full --only 'crnn $strategy'"
done
stage negatives 240 bash -c study
exit $failed
