// Rotary position embeddings (RoFormer, arXiv 2104.09864), in Hugging Face's half-split layout.
#pragma once

#include <ATen/ATen.h>

#include "model/llama_config.hpp"

namespace tofu {

// Tables of cos and sin for every position up to a limit; M positions, d = head_dim.
class Rotary {
 public:
  Rotary(const LlamaConfig& config, std::int64_t positions, at::Device device);

  // cos and sin [N, 1, d/2] at the given positions, in fp32.
  struct Angles {
    at::Tensor cos;
    at::Tensor sin;
  };
  Angles at_positions(const at::Tensor& positions_N) const;

 private:
  at::Tensor cos_Md_;
  at::Tensor sin_Md_;
};

// Rotates x [N, H, d]; the arithmetic is in fp32, the result in x's type.
at::Tensor apply_rotary(const at::Tensor& x_NHd, const Rotary::Angles& angles);

}  // namespace tofu
