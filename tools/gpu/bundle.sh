#!/bin/bash
# Packs what the Node side needs on a GPU machine without registries: Node, the addon, dist, what it depends on.
#
#   tools/gpu/bundle.sh [FILE]     default build/sonotext-gpu.tar.xz, under 60 MB
#
# There: tar xf FILE && sonotext-gpu/tools/gpu/node.sh. Build first (npm run setup) where there is an nvcc.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
file=${1:-$root/build/sonotext-gpu.tar.xz}
mkdir -p "$(dirname "$file")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
to=$work/sonotext-gpu
cd "$root"
# The Node of the project, whichever is on the PATH.
node=$root/node_modules/.bin/node

# copy PATH: into the bundle, under the same path
copy() {
  mkdir -p "$to/$(dirname "$1")"
  cp -rL "$1" "$to/$1"
}
for package in core-ts native-cuda scenes bench; do
  copy "packages/$package/package.json"
  copy "packages/$package/dist"
done
copy packages/native-cuda/build/Release/sonotext.node
copy packages/core-ts/test-data/crnn
copy tools/gpu
copy tools/compare
copy tools/golden
copy package.json
find "$to" \( -name '*.map' -o -name '*.test.*' -o -name '*.d.ts' -o -name .tsbuildinfo \) -delete
npm ls --all --omit=dev --omit=peer --parseable -w packages/bench | while read -r path; do
  local_path=${path#"$root"/}
  case $local_path in "$root" | */@sonotext/*) ;; *) copy "$local_path" ;; esac
done
mkdir -p "$to/node_modules/@sonotext"
for pair in core:core-ts native-cuda:native-cuda scenes:scenes bench:bench; do
  ln -s "../../packages/${pair#*:}" "$to/node_modules/@sonotext/${pair%%:*}"
done
cp -L "$("$node" -p process.execPath)" "$to/node"
strip "$to/node" "$to/packages/native-cuda/build/Release/sonotext.node" 2>/dev/null || true
git rev-parse --short HEAD > "$to/commit.txt"
tar -C "$work" -cf - sonotext-gpu | xz -T0 -3 > "$file"
ls -l "$file" | awk '{ printf "%s: %.1f MB\n", $NF, $5 / 1e6 }'
