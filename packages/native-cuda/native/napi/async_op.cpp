#include "async_op.hpp"

#include <new>

#include "errors.hpp"
#include "runner.hpp"

namespace sonotext::napi {

struct AsyncOps::Pending {
  AsyncOps* owner;
  std::unique_ptr<Operation> operation;
  CancelFlag cancel;
  napi_deferred deferred = nullptr;
  napi_ref kept = nullptr;  // array of the typed arrays in use
  Status status;
  Pending* before = nullptr;
  Pending* after = nullptr;
};

AsyncOps::AsyncOps(Napi::Env env) {
  napi_value name;
  if (napi_create_string_utf8(env, "sonotext op", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, settle,
                                      &done_) != napi_ok) {
    throw Napi::Error::New(env);
  }
  napi_unref_threadsafe_function(env, done_);
}

void AsyncOps::shut_down() {
  std::unique_lock lock(mutex_);
  for (Pending* p = running_; p != nullptr; p = p->after) p->cancel->store(true);
  idle_.wait(lock, [&] { return running_ == nullptr; });
}

Napi::Promise AsyncOps::start(Napi::Env env, std::unique_ptr<Operation> operation, CancelFlag cancel) {
  auto pending = std::make_unique<Pending>();
  pending->owner = this;
  pending->cancel = std::move(cancel);
  napi_value kept, promise;
  napi_status ok = napi_create_array_with_length(env, operation->arrays.size(), &kept);
  for (std::size_t i = 0; ok == napi_ok && i < operation->arrays.size(); ++i) {
    ok = napi_set_element(env, kept, static_cast<std::uint32_t>(i), operation->arrays[i]);
  }
  if (ok == napi_ok) ok = napi_create_reference(env, kept, 1, &pending->kept);
  if (ok == napi_ok) ok = napi_create_promise(env, &pending->deferred, &promise);
  if (ok != napi_ok) throw Napi::Error::New(env);
  operation->arrays.clear();
  pending->operation = std::move(operation);

  Pending* p = pending.release();
  {
    const std::lock_guard lock(mutex_);
    p->after = running_;
    if (running_ != nullptr) running_->before = p;
    running_ = p;
  }
  if (unsettled_++ == 0) napi_ref_threadsafe_function(env, done_);
  Runner::instance().post([p] {
    try {
      p->status = p->cancel->load() ? Status{Code::cancelled} : p->operation->execute(*p->cancel);
    } catch (const std::bad_alloc&) {
      p->status = {Code::out_of_memory};
    }
    p->owner->finished(p);
  });
  return Napi::Promise(env, promise);
}

void AsyncOps::finished(Pending* pending) {
  // Under the lock: once the list is empty the environment may go, and the queue with it.
  const std::lock_guard lock(mutex_);
  (pending->before != nullptr ? pending->before->after : running_) = pending->after;
  if (pending->after != nullptr) pending->after->before = pending->before;
  if (napi_call_threadsafe_function(done_, pending, napi_tsfn_nonblocking) != napi_ok) delete pending;
  if (running_ == nullptr) idle_.notify_all();
}

void AsyncOps::settle(napi_env raw, napi_value, void* context, void* data) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
  if (raw == nullptr) return;  // the environment is going: its references go with it
  const Napi::Env env(raw);
  const Napi::HandleScope scope(env);
  auto* self = static_cast<AsyncOps*>(context);
  if (--self->unsettled_ == 0) napi_unref_threadsafe_function(env, self->done_);
  napi_delete_reference(env, pending->kept);
  const char* name = pending->operation->name;
  pending->operation.reset();
  // A cancel that came too late loses: the outputs are written.
  if (pending->status.ok()) {
    napi_resolve_deferred(env, pending->deferred, env.Undefined());
  } else {
    napi_reject_deferred(env, pending->deferred, make_error(env, pending->status, name).Value());
  }
}

}  // namespace sonotext::napi
