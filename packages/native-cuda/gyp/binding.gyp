{
  "variables": {
    "flags": [
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
    ],
    "avx2_flags": ["-mavx2", "-mfma", "-mf16c"],
    "avx512_flags": ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"],
    "avx512bf16_flags": [
      "-mavx512f",
      "-mavx512dq",
      "-mavx512bw",
      "-mavx512vl",
      "-mfma",
      "-mprefer-vector-width=512",
      "-mavx512bf16"
    ],
    "clang_cl_flags": ["/std:c++20", "/clang:-O3", "/EHsc", "/GR", "/clang:-ffp-contract=off", "/clang:-Wall", "/clang:-Wextra"],
    "clang_cl_avx2_flags": ["/clang:-mavx2", "/clang:-mfma", "/clang:-mf16c"],
    "clang_cl_avx512_flags": [
      "/clang:-mavx512f",
      "/clang:-mavx512dq",
      "/clang:-mavx512bw",
      "/clang:-mavx512vl",
      "/clang:-mfma",
      "/clang:-mprefer-vector-width=512"
    ],
    "clang_cl_avx512bf16_flags": [
      "/clang:-mavx512f",
      "/clang:-mavx512dq",
      "/clang:-mavx512bw",
      "/clang:-mavx512vl",
      "/clang:-mfma",
      "/clang:-mprefer-vector-width=512",
      "/clang:-mavx512bf16"
    ]
  },
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
    "cflags_cc": ["<@(flags)"],
    "xcode_settings": { "MACOSX_DEPLOYMENT_TARGET": "11.0", "OTHER_CPLUSPLUSFLAGS": ["<@(flags)"] },
    "msbuild_toolset": "ClangCL",
    "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["<@(clang_cl_flags)"] } }
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
        "../native/napi/nccl.cpp",
        "../native/napi/operation.cpp",
        "../native/napi/probe.cpp",
        "../native/napi/values.cpp"
      ],
      "conditions": [
        [
          "OS!='win'",
          {
            "libraries": ["-lpthread", "-ldl"]
          }
        ],
        [
          "target_arch=='x64'",
          {
            "defines": ["SONOTEXT_HAS_AVX2", "SONOTEXT_HAS_AVX512", "SONOTEXT_HAS_AVX512BF16"],
            "dependencies": ["sonotext_avx2", "sonotext_avx512", "sonotext_avx512bf16"]
          }
        ],
        [
          "target_arch=='arm64'",
          {
            "defines": ["SONOTEXT_HAS_NEON"],
            "sources": ["../native/cpu/isa/neon.cpp"]
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
            "cflags_cc": ["<@(avx2_flags)"],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": ["<@(avx2_flags)"]
            },
            "msvs_settings": {
              "VCCLCompilerTool": {
                "AdditionalOptions": ["<@(clang_cl_avx2_flags)"]
              }
            }
          },
          {
            "target_name": "sonotext_avx512",
            "type": "static_library",
            "sources": ["../native/cpu/isa/avx512.cpp"],
            "cflags_cc": ["<@(avx512_flags)"],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": ["<@(avx512_flags)"]
            },
            "msvs_settings": {
              "VCCLCompilerTool": {
                "AdditionalOptions": ["<@(clang_cl_avx512_flags)"]
              }
            }
          },
          {
            "target_name": "sonotext_avx512bf16",
            "type": "static_library",
            "sources": ["../native/cpu/isa/avx512bf16.cpp"],
            "cflags_cc": ["<@(avx512bf16_flags)"],
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": ["<@(avx512bf16_flags)"]
            },
            "msvs_settings": {
              "VCCLCompilerTool": {
                "AdditionalOptions": ["<@(clang_cl_avx512bf16_flags)"]
              }
            }
          }
        ]
      }
    ]
  ]
}
