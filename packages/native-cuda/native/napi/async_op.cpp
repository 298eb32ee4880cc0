#include "async_op.hpp"

#include <new>
#include <vector>

#include "../core/runner.hpp"
#include "errors.hpp"

namespace sonotext::napi {

struct AsyncOps::Pending final : Runner::Job {
  AsyncOps* owner = nullptr;
  std::unique_ptr<Operation> operation;
  CancelFlag cancel;
  napi_deferred deferred = nullptr;
  std::vector<napi_ref> kept;  // the typed arrays in use
  Status status;
  Pending* before = nullptr;
  Pending* after = nullptr;

  void run() override {
    try {
      status = cancel->load() ? Status{Code::cancelled} : operation->execute(*cancel);
    } catch (const std::bad_alloc&) {
      status = {Code::out_of_memory};
    }
    // Under the lock: once nothing is unfinished the environment may go, and the queue of results with it.
    AsyncOps& ops = *owner;
    const std::lock_guard lock(ops.mutex_);
    ops.finished(this);
  }

  // On the JavaScript thread, also while the environment goes.
  void let_go() {
    for (const napi_ref ref : kept) napi_delete_reference(owner->env_, ref);
    kept.clear();
  }
};

AsyncOps::AsyncOps(Napi::Env env) : env_(env) {
  napi_value name;
  if (napi_create_string_utf8(env, "sonotext op", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, settle,
                                      &done_) != napi_ok) {
    throw Napi::Error::New(env);
  }
  napi_unref_threadsafe_function(env, done_);
  // Hooks run in reverse order: this one before the thread-safe function's own.
  napi_add_env_cleanup_hook(
      env, [](void* self) { static_cast<AsyncOps*>(self)->shut_down(); }, this);
}

// Called when the environment goes, and its memory with it: ops that have not begun are dropped, those that
// run are told to stop and waited for.
void AsyncOps::shut_down() {
  std::unique_lock lock(mutex_);
  for (Pending *p = unfinished_, *next; p != nullptr; p = next) {
    next = p->after;
    p->cancel->store(true);
    if (!Runner::instance().withdraw(*p)) continue;
    unlink(p);
    p->let_go();
    delete p;
  }
  idle_.wait(lock, [&] { return unfinished_ == nullptr; });
}

void AsyncOps::before_release(const void* data, std::size_t bytes) {
  bool used = false;
  {
    const std::lock_guard lock(mutex_);
    for (Pending* p = unfinished_; p != nullptr; p = p->after) {
      for (const HeldArray& array : p->operation->arrays) used = used || array.meets(data, bytes);
    }
  }
  if (used) shut_down();
}

void AsyncOps::cancel(const CancelFlag& flag) {
  flag->store(true);
  const std::lock_guard lock(mutex_);
  for (Pending *p = unfinished_, *next; p != nullptr; p = next) {
    next = p->after;
    if (p->cancel != flag || !Runner::instance().withdraw(*p)) continue;
    p->status = {Code::cancelled};
    finished(p);
  }
}

Napi::Promise AsyncOps::start(Napi::Env env, std::unique_ptr<Operation> operation, CancelFlag cancel) {
  auto pending = std::make_unique<Pending>();
  pending->owner = this;
  pending->cancel = std::move(cancel);
  pending->kept.reserve(operation->arrays.size());
  napi_status ok = napi_ok;
  for (const HeldArray& array : operation->arrays) {
    napi_ref ref;
    if ((ok = napi_create_reference(env, array.value, 1, &ref)) != napi_ok) break;
    pending->kept.push_back(ref);
  }
  napi_value promise;
  if (ok == napi_ok) ok = napi_create_promise(env, &pending->deferred, &promise);
  if (ok != napi_ok) {
    const Napi::Error error = Napi::Error::New(env);
    pending->let_go();
    throw error;
  }
  pending->operation = std::move(operation);

  Pending* p = pending.release();
  {
    const std::lock_guard lock(mutex_);
    p->after = unfinished_;
    if (unfinished_ != nullptr) unfinished_->before = p;
    unfinished_ = p;
  }
  if (unsettled_++ == 0) napi_ref_threadsafe_function(env, done_);
  Runner::instance().post(*p);
  return Napi::Promise(env, promise);
}

void AsyncOps::finished(Pending* pending) {
  unlink(pending);
  if (napi_call_threadsafe_function(done_, pending, napi_tsfn_nonblocking) != napi_ok) delete pending;
  if (unfinished_ == nullptr) idle_.notify_all();
}

void AsyncOps::unlink(Pending* pending) {
  (pending->before != nullptr ? pending->before->after : unfinished_) = pending->after;
  if (pending->after != nullptr) pending->after->before = pending->before;
}

// Plain calls, and a status that is not ok is left alone: it means that the environment is being terminated
// and may run no more JavaScript, so nobody waits for the promise. An exception would leave this callback and
// end the process.
void AsyncOps::settle(napi_env env, napi_value, void* context, void* data) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
  pending->let_go();
  if (env == nullptr) return;  // the environment is going
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  auto* self = static_cast<AsyncOps*>(context);
  if (--self->unsettled_ == 0) napi_unref_threadsafe_function(env, self->done_);
  const char* name = pending->operation->name;
  pending->operation.reset();
  napi_value value;
  // A cancel that came too late loses: the outputs are written.
  if (pending->status.ok()) {
    if (napi_get_undefined(env, &value) == napi_ok) napi_resolve_deferred(env, pending->deferred, value);
  } else if ((value = error_value(env, pending->status, name)) != nullptr) {
    napi_reject_deferred(env, pending->deferred, value);
  }
  napi_close_handle_scope(env, scope);
}

}  // namespace sonotext::napi
