#include "model/generation.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <optional>

#include "model/head.hpp"

namespace tofu {
namespace {

// Keys and values of the sequences under way.
// L layers, B slots, G key-value heads, M positions, d head_dim.
class KeyValueCache {
 public:
  KeyValueCache(const Llama& model, std::int64_t slots, std::int64_t positions) {
    const LlamaConfig& c = model.config();
    const auto options = at::TensorOptions(model.type()).device(model.device());
    for (std::int64_t layer = 0; layer < c.num_layers; ++layer) {
      keys_.push_back(at::zeros({slots, c.num_kv_heads, positions, c.head_dim}, options));
      values_.push_back(at::zeros({slots, c.num_kv_heads, positions, c.head_dim}, options));
    }
  }

  // Keys and values of one whole prompt [T, G, d].
  void set_prompt(std::size_t layer, std::int64_t slot, const at::Tensor& key,
                  const at::Tensor& value) {
    const std::int64_t length = key.size(0);
    keys_[layer].select(0, slot).narrow(1, 0, length).copy_(key.transpose(0, 1));
    values_[layer].select(0, slot).narrow(1, 0, length).copy_(value.transpose(0, 1));
  }

  // One new position for each of `slots_S`, at `positions_S`.
  void append(std::size_t layer, const at::Tensor& slots_S, const at::Tensor& positions_S,
              const at::Tensor& key, const at::Tensor& value) {
    keys_[layer].index_put_({slots_S, at::indexing::Slice(), positions_S}, key);
    values_[layer].index_put_({slots_S, at::indexing::Slice(), positions_S}, value);
  }

  at::Tensor keys(std::size_t layer, const at::Tensor& slots_S, std::int64_t length) const {
    return keys_[layer].narrow(2, 0, length).index_select(0, slots_S);
  }
  at::Tensor values(std::size_t layer, const at::Tensor& slots_S, std::int64_t length) const {
    return values_[layer].narrow(2, 0, length).index_select(0, slots_S);
  }

 private:
  std::vector<at::Tensor> keys_;
  std::vector<at::Tensor> values_;
};

struct Sequence {
  std::size_t prompt_index = 0;
  std::int64_t length = 0;  // tokens whose keys are in the cache
  std::int64_t next_token = 0;
  std::optional<at::Generator> generator;
};

class Generator {
 public:
  Generator(const Llama& model, const std::vector<std::vector<std::int64_t>>& prompts,
            const GenerationOptions& options)
      : model_(model),
        prompts_(prompts),
        options_(options),
        slots_(static_cast<std::size_t>(
            std::clamp<std::int64_t>(std::ssize(prompts), 1, options.batch_size))),
        cache_(model, std::ssize(slots_), std::min(options.max_length, model.max_positions())),
        continuations_(prompts.size()) {}

  std::vector<std::vector<std::int64_t>> run() {
    const at::NoGradGuard no_grad;
    while (fill_slots()) decode_step();
    return std::move(continuations_);
  }

 private:
  // Starts prompts in free slots. False when nothing is under way and nothing is left.
  bool fill_slots() {
    bool busy = false;
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      while (!slots_[slot] && next_prompt_ < prompts_.size()) start(slot, next_prompt_++);
      busy = busy || slots_[slot].has_value();
    }
    return busy;
  }

  std::int64_t room(std::size_t prompt_index) const {
    const std::int64_t total = std::min(options_.max_length, model_.max_positions());
    const std::int64_t room = total - std::ssize(prompts_[prompt_index]);
    return options_.max_new_tokens > 0 ? std::min(room, options_.max_new_tokens) : room;
  }

  void start(std::size_t slot, std::size_t prompt_index) {
    if (prompts_[prompt_index].empty() || room(prompt_index) <= 0) return;
    const PackedBatch batch = pack_sequences({prompts_[prompt_index]}, model_.device());
    const Rotary::Angles angles = model_.rotary().at_positions(batch.positions_N);
    at::Tensor hidden = model_.embed(batch.ids_N);
    for (std::int64_t layer = 0; layer < model_.config().num_layers; ++layer) {
      const auto qkv =
          project_query_key_value(model_.config(), model_.block(layer), hidden, angles);
      cache_.set_prompt(static_cast<std::size_t>(layer), static_cast<std::int64_t>(slot),
                        qkv.key_NGd, qkv.value_NGd);
      const at::Tensor attended = attend_causally(qkv.query_NHd, qkv.key_NGd, qkv.value_NGd);
      hidden = finish_block(model_.config(), model_.block(layer), hidden, attended);
    }
    Sequence sequence;
    sequence.prompt_index = prompt_index;
    sequence.length = std::ssize(prompts_[prompt_index]);
    if (options_.sample) {
      sequence.generator = at::detail::createCPUGenerator(options_.seed_of(prompt_index));
    }
    slots_[slot] = std::move(sequence);
    take_token(slot, logits_of(hidden.narrow(0, hidden.size(0) - 1, 1)).select(0, 0));
  }

  // One more token for every sequence under way.
  void decode_step() {
    std::vector<std::int64_t> slots, ids, positions;
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      if (!slots_[slot]) continue;
      slots.push_back(static_cast<std::int64_t>(slot));
      ids.push_back(slots_[slot]->next_token);
      positions.push_back(slots_[slot]->length++);
    }
    if (slots.empty()) return;
    const auto to_tensor = [&](const std::vector<std::int64_t>& values) {
      return at::tensor(values, at::kLong).to(model_.device());
    };
    const at::Tensor slots_S = to_tensor(slots);
    const at::Tensor positions_S = to_tensor(positions);
    const std::int64_t longest = *std::max_element(positions.begin(), positions.end()) + 1;
    const at::Tensor visible_S11M = at::arange(longest, positions_S.options())
                                        .unsqueeze(0)
                                        .le(positions_S.unsqueeze(1))
                                        .unsqueeze(1)
                                        .unsqueeze(1);
    const Rotary::Angles angles = model_.rotary().at_positions(positions_S);
    at::Tensor hidden_SD = model_.embed(to_tensor(ids));
    for (std::int64_t layer = 0; layer < model_.config().num_layers; ++layer) {
      const auto qkv =
          project_query_key_value(model_.config(), model_.block(layer), hidden_SD, angles);
      const auto at_layer = static_cast<std::size_t>(layer);
      cache_.append(at_layer, slots_S, positions_S, qkv.key_NGd, qkv.value_NGd);
      const at::Tensor attended =
          at::scaled_dot_product_attention(qkv.query_NHd.unsqueeze(2),
                                           cache_.keys(at_layer, slots_S, longest),
                                           cache_.values(at_layer, slots_S, longest), visible_S11M,
                                           0.0, false, std::nullopt, true)
              .reshape({std::ssize(slots), -1});
      hidden_SD = finish_block(model_.config(), model_.block(layer), hidden_SD, attended);
    }
    const at::Tensor logits_SV = logits_of(hidden_SD);
    for (std::size_t s = 0; s < slots.size(); ++s) {
      take_token(static_cast<std::size_t>(slots[s]), logits_SV.select(0, static_cast<int>(s)));
    }
  }

  at::Tensor logits_of(const at::Tensor& hidden_SD) const {
    const Head& head = model_.head();
    return all_logits(rms_norm(hidden_SD, head.norm_weight_D, head.rms_norm_eps), head.weight_VD);
  }

  static at::Tensor attend_causally(const at::Tensor& query_THd, const at::Tensor& key_TGd,
                                    const at::Tensor& value_TGd) {
    const auto layout = [](const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); };
    return at::scaled_dot_product_attention(layout(query_THd), layout(key_TGd), layout(value_TGd),
                                            {}, 0.0, true, std::nullopt, true)
        .squeeze(0)
        .transpose(0, 1)
        .reshape({query_THd.size(0), -1});
  }

  // Chooses the next token of a sequence; frees the slot when that ends it.
  void take_token(std::size_t slot, const at::Tensor& logits_V) {
    Sequence& sequence = *slots_[slot];
    const std::int64_t token = options_.sample ? at::multinomial(at::softmax(logits_V.cpu(), 0), 1,
                                                                 false, sequence.generator)
                                                     .item<std::int64_t>()
                                               : logits_V.argmax().item<std::int64_t>();
    const auto& ends = model_.config().eos_token_ids;
    std::vector<std::int64_t>& continuation = continuations_[sequence.prompt_index];
    const bool ended = std::find(ends.begin(), ends.end(), token) != ends.end();
    if (!ended) continuation.push_back(token);
    if (ended || std::ssize(continuation) >= room(sequence.prompt_index)) {
      slots_[slot].reset();
    } else {
      sequence.next_token = token;
    }
  }

  const Llama& model_;
  const std::vector<std::vector<std::int64_t>>& prompts_;
  const GenerationOptions& options_;
  std::vector<std::optional<Sequence>> slots_;
  KeyValueCache cache_;
  std::size_t next_prompt_ = 0;
  std::vector<std::vector<std::int64_t>> continuations_;
};

}  // namespace

std::vector<std::vector<std::int64_t>> generate(
    const Llama& model, const std::vector<std::vector<std::int64_t>>& prompts,
    const GenerationOptions& options) {
  return Generator(model, prompts, options).run();
}

}  // namespace tofu
