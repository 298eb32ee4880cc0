#!/bin/bash
# Builds, checks and measures the CUDA devices on a machine with a GPU. Needs nvcc, CMake and a C++ compiler, no Node.
#
#   tools/gpu/run.sh [--out FOLDER] [--only STAGE,…] [--seconds N]
#
# Stages, each with its log and its line in FOLDER/summary.txt, whatever the others did:
#   build        conformance and gpu_bench, for the GPU that is there
#   conformance  every op against the CPU
#   sanitizer    the same under compute-sanitizer (memcheck, racecheck) where there is one
#   bench        times of every kernel with shares of bandwidth and peak measured in the same process
#   tensor       conformance and times of products in tf32 and bf16, by mma.sync and, where the GPU has it, by wgmma
#   graphs       kernels by CUDA graphs: conformance with them, and the bits of devices with and without
#   torch        the same shapes in PyTorch, where python3 has it
# --seconds bounds them all together (default 480); a stage that would begin past it is left out, and said so.
#
# Exit code: 0 when every stage did well, 1 when one did not, 2 on bad usage, 3 without a GPU: then the programs are built, for
# SONOTEXT_CUDA_ARCHITECTURES (default 90a-real), and nothing else is done.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/build/gpu-results
only=build,conformance,sanitizer,bench,tensor,graphs,torch
seconds=480
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2 ;;
    --only) only=$2 ;;
    --seconds) seconds=$2 ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  [ $# -ge 2 ] || exec "$0" --help
  shift 2
done
mkdir -p "$out"
build=$root/build/gpu
conformance=$build/native/test/conformance
bench=$build/native/bench/gpu_bench
graphs=$build/native/test/graphs
failed=0

# stage NAME SECONDS COMMAND…: runs it, at most so long, and notes how it went
stage() {
  local name=$1 limit=$2 left=$((seconds - SECONDS)) began=$SECONDS code
  shift 2
  case ",$only," in *",$name,"*) ;; *) return ;; esac
  if [ "$left" -lt 5 ]; then
    echo "$name: left out, the time is up" | tee -a "$out/summary.txt"
    failed=1
    return
  fi
  timeout -k 5 "$((limit < left ? limit : left))" "$@" >"$out/$name.txt" 2>&1
  code=$?
  local last
  last=$(grep -v '^ *$' "$out/$name.txt" | tail -n 1)
  # A program that finds no CUDA device ends well and says so: there is a GPU, so this build has no CUDA or the driver is too old for it.
  [ $code -eq 0 ] && case $last in *cuda:0:\ skipped:*) code=3 ;; esac
  if [ $code -eq 0 ]; then
    echo "$name: ok in $((SECONDS - began)) s: $last" | tee -a "$out/summary.txt"
  else
    echo "$name: FAILED ($code) after $((SECONDS - began)) s: $last" | tee -a "$out/summary.txt"
    failed=1
  fi
}

build_programs() {
  local generator=() architecture=${SONOTEXT_CUDA_ARCHITECTURES:-90a-real}
  command -v ninja >/dev/null && generator=(-G Ninja)
  case $capability in
    '') ;;
    9.0) architecture=90a-real ;;  # wgmma is of this one alone
    *) architecture=${capability/./}-real ;;
  esac
  rm -f "$conformance" "$bench"  # what does not build must not be taken for what is there
  cmake "${generator[@]}" -S "$root/packages/native-cuda" -B "$build" -DSONOTEXT_CUDA_ARCHITECTURES="$architecture" &&
    cmake --build "$build" --target conformance graphs gpu_bench -j "$(nproc)"
}

sanitize() {
  if ! command -v compute-sanitizer >/dev/null; then
    echo "skipped: there is no compute-sanitizer here"
    return
  fi
  local status=0 tool
  for tool in memcheck racecheck; do
    compute-sanitizer --tool $tool --error-exitcode 9 "$conformance" | grep -v ' ok$' || status=1
    [ "${PIPESTATUS[0]}" -eq 0 ] || status=1
  done
  return $status
}

# Leaves conformance-PRECISION-CORES.txt and bench-PRECISION-CORES.json beside the log.
tensor_cores() {
  local status=0 all=(mma) precision cores name
  local products=gemm,similarity,conv2d,frame_score,info_nce,sigmoid_pair,gru
  [ "$capability" = 9.0 ] && all=(mma wgmma)
  for precision in bf16 tf32; do
    for cores in "${all[@]}"; do
      export SONOTEXT_MATMUL=$precision SONOTEXT_TENSOR_CORES=$cores
      name=$precision-$cores
      "$conformance" cuda:0 "$products,batched_gemm" >"$out/conformance-$name.txt" || status=1
      "$bench" --json "$out/bench-$name.json" "$products" || status=1
      echo "$name: $(tail -n 1 "$out/conformance-$name.txt")"
    done
  done
  return $status
}

by_graphs() {
  SONOTEXT_CUDA_GRAPHS=1 "$conformance" >"$out/conformance-graphs.txt" || return
  tail -n 1 "$out/conformance-graphs.txt"
  "$graphs"
}

torch_beside() {
  if ! python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    echo "skipped: python3 has no PyTorch that sees a GPU"
    return
  fi
  python3 "$root/tools/gpu/torch_bench.py" --json "$out/torch.json"
}

: >"$out/summary.txt"
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1)
[[ $capability =~ ^[0-9]+\.[0-9]+$ ]] || capability=
{
  if [ -n "$capability" ]; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.max.sm --format=csv,noheader
  else
    echo "no GPU: nvidia-smi $(command -v nvidia-smi >/dev/null && echo names none || echo is not in PATH)"
  fi
  nvcc --version 2>/dev/null | tail -n 2 | head -n 1 | grep . || echo "no nvcc in PATH"
  echo "commit ${SONOTEXT_COMMIT:-$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)}"
  echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
} 2>&1 | tee "$out/machine.txt"
export root out build conformance bench graphs capability
export -f build_programs sanitize tensor_cores by_graphs torch_beside
stage build 240 bash -c build_programs
if [ -z "$capability" ]; then
  echo "There is no GPU here: nothing else was done." | tee -a "$out/summary.txt"
  [ $failed -eq 0 ] && failed=3
  exit $failed
fi
stage conformance 120 "$conformance"
stage sanitizer 150 bash -c sanitize
stage bench 150 "$bench" --json "$out/bench.json"
stage tensor 240 bash -c tensor_cores
stage graphs 60 bash -c by_graphs
stage torch 150 bash -c torch_beside
exit $failed
