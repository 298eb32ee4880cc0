{
  "target_defaults": {
    "default_configuration": "Release",
    "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
    "defines": [
      "NAPI_VERSION=8",
      "NAPI_CPP_EXCEPTIONS",
      "NODE_ADDON_API_DISABLE_DEPRECATED",
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
    ],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions", "-fno-rtti"],
    "cflags_cc": [
      "-std=c++20",
      "-O3",
      "-DNDEBUG",
      "-fPIC",
      "-fexceptions",
      "-frtti",
      "-ffp-contract=off",
      "-fvisibility=hidden",
      "-fvisibility-inlines-hidden",
      "-Wall",
      "-Wextra"
    ]
  },
  "targets": [
    {
      "target_name": "sonotext",
      "sources": [
        "../native/core/aligned.cpp",
        "../native/core/arena.cpp",
        "../native/core/check.cpp",
        "../native/core/device.cpp",
        "../native/core/pool.cpp",
        "../native/core/runner.cpp",
        "../native/cpu/devices.cpp",
        "../native/cpu/resolve.cpp",
        "../native/cpu/isa/scalar.cpp",
        "../native/cuda/no_cuda.cpp",
        "../native/napi/addon.cpp",
        "../native/napi/args.cpp",
        "../native/napi/async_op.cpp",
        "../native/napi/collector.cpp",
        "../native/napi/errors.cpp",
        "../native/napi/handles.cpp",
        "../native/napi/memory.cpp",
        "../native/napi/operation.cpp",
        "../native/napi/probe.cpp",
        "../native/napi/values.cpp"
      ],
      "libraries": ["-lpthread", "-ldl"],
      "conditions": [
        [
          "target_arch=='x64'",
          {
            "defines": ["SONOTEXT_HAS_AVX2", "SONOTEXT_HAS_AVX512"],
            "dependencies": ["sonotext_avx2", "sonotext_avx512"]
          }
        ]
      ]
    }
  ],
  "conditions": [
    [
      "target_arch=='x64'",
      {
        "targets": [
          {
            "target_name": "sonotext_avx2",
            "type": "static_library",
            "sources": ["../native/cpu/isa/avx2.cpp"],
            "cflags_cc": ["-mavx2", "-mfma", "-mf16c"]
          },
          {
            "target_name": "sonotext_avx512",
            "type": "static_library",
            "sources": ["../native/cpu/isa/avx512.cpp"],
            "cflags_cc": [
              "-mavx512f",
              "-mavx512dq",
              "-mavx512bw",
              "-mavx512vl",
              "-mfma",
              "-mprefer-vector-width=512"
            ]
          }
        ]
      }
    ]
  ]
}
