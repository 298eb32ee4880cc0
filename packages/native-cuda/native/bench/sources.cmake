# cmake -DNATIVE=<folder native> -DOUT=<header> -P sources.cmake: writes a header with one hash of what the program `instructions` is
# built from. packages/bench/src/check/program-sources.ts computes the same of the files it finds, and refuses a program of others.
file(GLOB_RECURSE files RELATIVE ${NATIVE} ${NATIVE}/core/* ${NATIVE}/cpu/*)
list(APPEND files ../CMakeLists.txt bench/call_file.hpp bench/instructions.cpp)
list(SORT files)
set(all "")
foreach(file ${files})
  file(SHA256 ${NATIVE}/${file} hash)
  string(APPEND all "${file} ${hash}\n")
endforeach()
string(SHA256 hash "${all}")
file(WRITE ${OUT} "#define SONOTEXT_SOURCES \"${hash}\"\n")
