// Exports for collectives over the GPUs of several processes; src/addon.d.ts says what each does.
#pragma once

#include <napi.h>

namespace sonotext::napi {

// summary() → { version, detail }
Napi::Value nccl_summary(const Napi::CallbackInfo& info);

// address(buffer) → text
Napi::Value nccl_address(const Napi::CallbackInfo& info);

// createId() → Uint8Array
Napi::Value nccl_create_id(const Napi::CallbackInfo& info);

// join(buffer, id, rank, size)
Napi::Value nccl_join(const Napi::CallbackInfo& info);

// allReduce(buffers), allGather(part, whole, lengths)
Napi::Value nccl_all_reduce(const Napi::CallbackInfo& info);
Napi::Value nccl_all_gather(const Napi::CallbackInfo& info);

// problem() → text or null, giveUp(reason): from any thread
Napi::Value nccl_problem(const Napi::CallbackInfo& info);
Napi::Value nccl_give_up(const Napi::CallbackInfo& info);

// leave()
Napi::Value nccl_leave(const Napi::CallbackInfo& info);

}  // namespace sonotext::napi
