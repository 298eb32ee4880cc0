#include "operation.hpp"

#include <unordered_map>

#include "../core/check.hpp"
#include "../core/checker.hpp"
#include "args.hpp"
#include "errors.hpp"

namespace sonotext::napi {
namespace {

template <class Args>
class OperationOf final : public Operation {
 public:
  using Entry = Status (*)(const Args&, Exec&);

  OperationOf(const char* name, Device& device, Entry entry, Napi::Env env,
              const std::vector<napi_value>& values)
      : Operation(name, device), entry_(entry) {
    ArgsReader reader(name, device, env, values);
    args_.visit(reader);
    Status status = survey(args_);  // of where the caller has them
    args_.visit(integers_);
    if (status.ok()) status = check(args_);
    if (!status.ok()) throw make_error(env, status, name);
    arrays = std::move(reader.arrays);
    memories = std::move(reader.memories);
  }

  Status execute(const std::atomic<bool>& cancel) override { return run(device, entry_, args_, cancel); }

 private:
  Args args_{};
  IntegerCopies integers_;  // what args_ reads by index
  const Entry entry_;
};

template <class Args>
Napi::Array describe(Napi::Env env) {
  Args args{};
  ArgsDescriber describer(env);
  args.visit(describer);
  return describer.list;
}

}  // namespace

const std::vector<BoundOp>& all_ops() {
  static const auto* const ops = new std::vector<BoundOp>{
#define SONOTEXT_BIND(op, Args)                                                                             \
  {#op,                                                                                                     \
   [](Device& device, Napi::Env env, const std::vector<napi_value>& values) -> std::unique_ptr<Operation> { \
     return std::make_unique<OperationOf<Args>>(#op, device, device.table().op, env, values);               \
   },                                                                                                       \
   [](const OpTable& table) { return table.op != nullptr; }, describe<Args>},
      SONOTEXT_OPS(SONOTEXT_BIND)
#undef SONOTEXT_BIND
  };
  return *ops;
}

const BoundOp* find_op(const std::string& name) {
  static const auto* const index = [] {
    auto* map = new std::unordered_map<std::string, const BoundOp*>;
    for (const BoundOp& op : all_ops()) map->emplace(op.name, &op);
    return map;
  }();
  const auto found = index->find(name);
  return found == index->end() ? nullptr : found->second;
}

}  // namespace sonotext::napi
