// Buffers that are needed again and again in the same sizes: taking one anew from the system each
// time would cost as much as the computation that it is for.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <vector>

namespace tofu {

class BufferPool {
 public:
  explicit BufferPool(at::TensorOptions options) : options_(options) {}

  // An uninitialised buffer of `numel` elements.
  at::Tensor take(std::int64_t numel) {
    auto& free = free_[numel];
    if (free.empty()) return at::empty({numel}, options_);
    at::Tensor buffer = free.back();
    free.pop_back();
    return buffer;
  }

  void give_back(at::Tensor buffer) { free_[buffer.numel()].push_back(std::move(buffer)); }

 private:
  at::TensorOptions options_;
  std::map<std::int64_t, std::vector<at::Tensor>> free_;
};

}  // namespace tofu
