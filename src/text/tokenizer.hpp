// A tokenizer in Hugging Face's format: text to token ids and back, with the place of each token in
// the text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/aligned_text.hpp"

namespace tofu {

struct Encoding {
  std::vector<std::int64_t> ids;
  std::vector<ByteSpan> offsets;  // UTF-8 bytes of the text; [0, 0) for tokens added around it
};

// Immutable; copies share what was loaded.
class Tokenizer {
 public:
  // Reads a tokenizer.json, or the one of a folder, with tokenizer_config.json,
  // special_tokens_map.json and config.json beside it; of a folder without one, BERT's vocab.txt.
  // Its `truncation` and `padding` are what some program had set when it saved the file: they are
  // not applied (Transformers does not either), and a warning says so.
  // Error{file_system} if there is no such file; Error{input_data} naming file and key if it is
  // damaged, if it sets something that changes ids and is not implemented, or if the files beside
  // it contradict it.
  static Tokenizer load(const std::filesystem::path& path);

  // Error{input_data} if `text` is not UTF-8.
  Encoding encode(std::string_view text, bool add_special_tokens = true) const;

  // Ids that the vocabulary does not have are passed over, as by Transformers.
  std::string decode(std::span<const std::int64_t> ids, bool skip_special_tokens = true) const;

  std::int64_t vocab_size() const;  // 1 + the highest id
  std::optional<std::int64_t> token_to_id(std::string_view token) const;
  std::string id_to_token(std::int64_t id) const;  // Error{input_data} if there is no such id

  std::optional<std::int64_t> bos_id() const;
  std::optional<std::int64_t> eos_id() const;
  std::optional<std::int64_t> mask_id() const;

  // 16 hexadecimal digits that change with the content of the tokenizer's file (FNV-1a, 64 bits).
  std::string digest() const;

 private:
  struct Parts;
  explicit Tokenizer(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

}  // namespace tofu
