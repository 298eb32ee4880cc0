# A toolchain file: cmake -S packages/native-cuda -B build/arm -DSONOTEXT_CUDA=OFF \
#   -DCMAKE_TOOLCHAIN_FILE=$PWD/packages/native-cuda/native/test/aarch64-linux-gnu.cmake
# compiles for 64-bit Arm Linux with Debian's g++-aarch64-linux-gnu. Its package qemu-user runs what comes out:
#   qemu-aarch64 -L /usr/aarch64-linux-gnu build/arm/native/test/conformance cpu
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
