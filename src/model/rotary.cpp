#include "model/rotary.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <torch/csrc/autograd/custom_function.h>

namespace tofu {
namespace {

// Inverse frequencies; with the llama3 scaling low ones are divided by the factor, high ones kept,
// and those between blended.
std::vector<float> inverse_frequencies(const LlamaConfig& config) {
  std::vector<float> result;
  for (std::int64_t i = 0; i < config.head_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(config.head_dim);
    float frequency = 1.0F / std::pow(static_cast<float>(config.rope_theta), exponent);
    if (config.rope_scaling) {
      const RopeScaling& s = *config.rope_scaling;
      const double wavelength = 2 * std::numbers::pi / static_cast<double>(frequency);
      const double longest = s.original_max_position_embeddings / s.low_freq_factor;
      const double shortest = s.original_max_position_embeddings / s.high_freq_factor;
      if (wavelength > longest) {
        frequency = frequency / static_cast<float>(s.factor);
      } else if (wavelength >= shortest) {
        const double smooth =
            (s.original_max_position_embeddings / wavelength - s.low_freq_factor) /
            (s.high_freq_factor - s.low_freq_factor);
        frequency = static_cast<float>((1 - smooth) * static_cast<double>(frequency) / s.factor +
                                       smooth * static_cast<double>(frequency));
      }
    }
    result.push_back(frequency);
  }
  return result;
}

at::Tensor rotate(const at::Tensor& x_NHd, const at::Tensor& cos, const at::Tensor& sin) {
  const auto halves = x_NHd.to(at::kFloat).chunk(2, -1);
  return at::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1)
      .to(x_NHd.scalar_type());
}

// The gradient of a rotation is the rotation back: nothing but the angles has to be kept.
struct RotaryFunction : torch::autograd::Function<RotaryFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x_NHd,
                            const at::Tensor& cos, const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    return rotate(x_NHd, cos, sin);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return {rotate(gradients[0], saved[0], -saved[1]), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

Rotary::Rotary(const LlamaConfig& config, std::int64_t positions, at::Device device) {
  const at::Tensor frequencies = at::tensor(inverse_frequencies(config), at::kFloat);
  const at::Tensor angles = at::arange(positions, at::kFloat).unsqueeze(1) * frequencies;
  cos_Md_ = angles.cos().unsqueeze(1).to(device);
  sin_Md_ = angles.sin().unsqueeze(1).to(device);
}

Rotary::Angles Rotary::at_positions(const at::Tensor& positions_N) const {
  return {cos_Md_.index_select(0, positions_N), sin_Md_.index_select(0, positions_N)};
}

at::Tensor apply_rotary(const at::Tensor& x_NHd, const Rotary::Angles& angles) {
  return RotaryFunction::apply(x_NHd, angles.cos, angles.sin);
}

}  // namespace tofu
