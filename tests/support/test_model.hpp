// A model of the reference cases, sharded over the test's ranks.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "checkpoint/model_source.hpp"
#include "comm/groups.hpp"
#include "zero/block_chain.hpp"

namespace tofu::test {

struct TestModel {
  TestModel(const std::filesystem::path& folder, int zero_stage, bool recompute = true,
            at::ScalarType type = at::kFloat)
      : groups(make_groups(MPI_COMM_WORLD, "world", DeviceKind::cpu, 60)),
        source(ModelSource::open(folder, MPI_COMM_WORLD)),
        parameters(llama_units(source.config()), groups, {zero_stage, type, at::kCPU}),
        chain(source.config(), &parameters, 512, recompute) {
    digest = source.load(&parameters, groups);
  }

  // 2-norm of each parameter's share of `part_of`(unit), over all ranks, by parameter name.
  template <typename Values>
  std::map<std::string, double> norms(const Values& part_of) {
    std::vector<std::string> names;
    std::vector<double> squares;
    for (std::size_t i = 0; i < parameters.unit_count(); ++i) {
      const FlatRange shard = parameters.optimizer_shard(i).range;
      const FlatRange own = parameters.exclusive_part(i);
      const at::Tensor values = part_of(i).narrow(0, own.first - shard.first, own.count);
      for_each_part(parameters.unit(i), own, [&](const ParameterPart& part) {
        const double norm = values.narrow(0, part.first_in_range, part.count)
                                .to(at::kDouble)
                                .norm()
                                .template item<double>();
        names.push_back(part.parameter->name);
        squares.push_back(norm * norm);
      });
    }
    const std::vector<double> sums = groups.world->sum(squares);
    std::map<std::string, double> result;
    for (std::size_t i = 0; i < names.size(); ++i) result[names[i]] = std::sqrt(sums[i]);
    return result;
  }

  Groups groups;
  ModelSource source;
  ShardedParameters parameters;
  BlockChain chain;
  std::string digest;
};

}  // namespace tofu::test
