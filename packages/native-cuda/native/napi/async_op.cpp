#include "async_op.hpp"

#include <algorithm>
#include <atomic>
#include <new>
#include <vector>

#include "../core/runner.hpp"
#include "errors.hpp"

namespace sonotext::napi {

struct AsyncOps::Pending final : Runner::Job {
  AsyncOps* owner = nullptr;
  std::unique_ptr<Operation> operation;
  CancelFlag token;
  std::atomic<bool> stop{false};  // this op alone: others may have the same token
  bool bereft = false;            // told to stop because its memory goes
  napi_deferred deferred = nullptr;
  std::vector<napi_ref> kept;  // the typed arrays in use
  Status status;
  Pending* before = nullptr;
  Pending* after = nullptr;

  void run() override {
    try {
      status = stop.load() ? Status{Code::cancelled} : operation->execute(stop);
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

namespace {

// Every instance of the process.
struct All {
  std::mutex mutex;
  std::vector<AsyncOps*> list;
};

// Never destroyed: environments may go after static objects do.
All& all() {
  static All& instance = *new All;
  return instance;
}

}  // namespace

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
  const std::lock_guard lock(all().mutex);
  all().list.push_back(this);
}

AsyncOps::~AsyncOps() {
  const std::lock_guard lock(all().mutex);
  std::vector<AsyncOps*>& list = all().list;
  list.erase(std::remove(list.begin(), list.end(), this), list.end());
}

// What has not begun never will, and what runs is told to stop; all of it settles. mutex_ held.
void AsyncOps::stop(Pending& pending) {
  pending.stop = true;
  if (!Runner::instance().withdraw(pending)) return;
  pending.status = {Code::cancelled};
  finished(&pending);
}

template <class Which>
void AsyncOps::stop_all(Which which) {
  for (Pending *p = unfinished_, *next; p != nullptr; p = next) {
    next = p->after;
    if (which(*p)) stop(*p);
  }
}

// Called when the environment goes, and its memory with it.
void AsyncOps::shut_down() {
  std::unique_lock lock(mutex_);
  stop_all([](const Pending&) { return true; });
  ended_.wait(lock, [&] { return unfinished_ == nullptr; });
}

void AsyncOps::before_release(const void* data, std::size_t bytes) {
  const std::lock_guard lock(all().mutex);
  for (AsyncOps* ops : all().list) ops->let_go_of(data, bytes);
}

void AsyncOps::let_go_of(const void* data, std::size_t bytes) {
  const auto meets = [=](const Pending& pending) {
    const std::vector<HeldArray>& arrays = pending.operation->arrays;
    return std::any_of(arrays.begin(), arrays.end(),
                       [=](const HeldArray& array) { return array.meets(data, bytes); });
  };
  std::unique_lock lock(mutex_);
  stop_all([&](Pending& pending) { return meets(pending) && (pending.bereft = true); });
  ended_.wait(lock, [&] {
    const Pending* p = unfinished_;
    while (p != nullptr && !meets(*p)) p = p->after;
    return p == nullptr;
  });
}

void AsyncOps::cancel(const CancelFlag& token) {
  token->cancelled = true;
  const std::lock_guard lock(all().mutex);
  for (AsyncOps* ops : all().list) {
    const std::lock_guard own(ops->mutex_);
    const auto [first, last] = ops->by_token_.equal_range(token.get());
    std::vector<Pending*> named;
    for (auto entry = first; entry != last; ++entry) named.push_back(entry->second);
    for (Pending* pending : named) ops->stop(*pending);
  }
}

Napi::Promise AsyncOps::start(Napi::Env env, std::unique_ptr<Operation> operation, CancelFlag token) {
  auto pending = std::make_unique<Pending>();
  pending->owner = this;
  pending->stop = token != nullptr && token->cancelled;
  pending->token = std::move(token);
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
    if (p->token != nullptr) by_token_.emplace(p->token.get(), p);
  }
  if (unsettled_++ == 0) napi_ref_threadsafe_function(env, done_);
  Runner::instance().post(*p);
  return Napi::Promise(env, promise);
}

void AsyncOps::finished(Pending* pending) {
  unlink(pending);
  if (pending->bereft && pending->status.code == Code::cancelled)
    pending->status = {Code::invalid_argument, "arrays that are not transferred before the op has settled"};
  if (napi_call_threadsafe_function(done_, pending, napi_tsfn_nonblocking) != napi_ok) delete pending;
  ended_.notify_all();
}

void AsyncOps::unlink(Pending* pending) {
  (pending->before != nullptr ? pending->before->after : unfinished_) = pending->after;
  if (pending->after != nullptr) pending->after->before = pending->before;
  const auto [first, last] = by_token_.equal_range(pending->token.get());
  const auto entry = std::find_if(first, last, [=](const auto& named) { return named.second == pending; });
  if (entry != last) by_token_.erase(entry);
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
