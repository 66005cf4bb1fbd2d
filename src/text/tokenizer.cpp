#include "text/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/log.hpp"
#include "text/added_tokens.hpp"
#include "text/decoder.hpp"
#include "text/json_field.hpp"
#include "text/normalizer.hpp"
#include "text/post_processor.hpp"
#include "text/pre_tokenizer.hpp"
#include "text/special_tokens.hpp"
#include "text/subword_model.hpp"
#include "text/unicode.hpp"

namespace tofu {

struct Tokenizer::Parts {
  std::filesystem::path file;
  std::string digest;
  std::unique_ptr<SubwordModel> model;
  AddedTokens added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  PostProcessor post_processor;
  Decoder decoder;
  std::optional<std::int64_t> bos;
  std::optional<std::int64_t> eos;
  std::optional<std::int64_t> mask;

  const std::string* token(std::int64_t id) const {
    const AddedToken* token = added.find(id);
    return token != nullptr ? &token->content : model->vocabulary().token(id);
  }

  std::optional<std::int64_t> id(std::string_view token) const {
    const AddedToken* found = added.find(token);
    if (found != nullptr) return found->id;
    return model->vocabulary().find(token);
  }

  static std::shared_ptr<Parts> from_json(const std::filesystem::path& file);
  static std::shared_ptr<Parts> from_vocabulary(const std::filesystem::path& file);
  void append_tokens(const TextSegment& segment, std::vector<PlacedToken>& tokens) const;
  Encoding encode(std::string_view text, bool add_special_tokens) const;
  void set_special_tokens(const SpecialTokenSettings& settings);
  void check_frame(const SpecialTokenSettings& settings) const;
};

namespace {

std::string digest_of(std::string_view content) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

std::filesystem::path find_file(const std::filesystem::path& path) {
  if (std::filesystem::is_regular_file(path)) return path;
  if (!std::filesystem::is_directory(path)) {
    fail(ErrorCategory::file_system,
         "{}: there is no such tokenizer; give a tokenizer.json or the folder that holds it",
         path.string());
  }
  for (const char* name : {"tokenizer.json", "vocab.txt"}) {
    if (std::filesystem::is_regular_file(path / name)) return path / name;
  }
  fail(ErrorCategory::file_system,
       "{}: the folder holds no tokenizer.json; fetch it, or save the tokenizer with Transformers' "
       "save_pretrained",
       path.string());
}

void warn_about_unused(const JsonField& root, const std::filesystem::path& file) {
  for (const std::string key : {"truncation", "padding"}) {
    if (root.has(key)) {
      log_warning("{}: {} is not applied: the configuration sets the length of a text",
                  file.string(), key);
    }
  }
}

// Transformers would put these settings of tokenizer_config.json over tokenizer.json.
void check_overrides(const JsonField& root, const SpecialTokenSettings& settings) {
  const auto check = [&](const std::string& part, const std::string& type, const std::string& key,
                         const std::optional<bool>& wanted) {
    if (!wanted || !root.has(part)) return;
    const auto field = root.at(part);
    if (field.string_or("type", "") != type || field.boolean_or(key, true) == *wanted) return;
    field.reject(
        fmt::format("{} contradicts tokenizer_config.json, which sets it to {}; make both "
                    "the same",
                    key, *wanted));
  };
  check("pre_tokenizer", "ByteLevel", "add_prefix_space", settings.add_prefix_space);
  check("normalizer", "BertNormalizer", "lowercase", settings.do_lower_case);
}

void check_added_tokens(const AddedTokens& added, const SpecialTokenSettings& settings,
                        const std::filesystem::path& file) {
  for (const auto& [id, content] : settings.added_tokens) {
    const AddedToken* token = added.find(id);
    if (token == nullptr || token->content != content) {
      fail(ErrorCategory::input_data,
           "{}: the tokenizer_config.json beside it adds the token '{}' as {}, which added_tokens "
           "lacks; save the tokenizer again so that both agree",
           file.string(), content, id);
    }
  }
}

}  // namespace

std::shared_ptr<Tokenizer::Parts> Tokenizer::Parts::from_json(const std::filesystem::path& file) {
  const std::string content = read_text_file(file);
  const auto json = parse_json_object(file, content);
  const JsonField root(json, file.string());
  if (!root.has("model")) root.reject("is not a tokenizer.json: it has no key 'model'");
  root.allow_only({"version", "truncation", "padding", "added_tokens", "normalizer",
                   "pre_tokenizer", "post_processor", "decoder", "model"});
  const auto optional = [&](const std::string& key) {
    static const nlohmann::json null;
    return root.has(key) ? root.at(key) : JsonField(null, file.string(), key);
  };
  const auto settings = read_special_token_settings(file.parent_path());
  check_overrides(root, settings);
  warn_about_unused(root, file);
  auto parts = std::make_shared<Parts>();
  parts->file = file;
  parts->digest = digest_of(content);
  parts->model = parse_subword_model(root.at("model"));
  parts->normalizer = parse_normalizer(optional("normalizer"));
  if (root.has("added_tokens")) {
    parts->added =
        AddedTokens(root.at("added_tokens"), parts->model->vocabulary(), parts->normalizer);
  }
  parts->pre_tokenizer = parse_pre_tokenizer(optional("pre_tokenizer"));
  parts->post_processor = parse_post_processor(optional("post_processor"));
  parts->decoder = parse_decoder(optional("decoder"));
  check_added_tokens(parts->added, settings, file);
  parts->set_special_tokens(settings);
  parts->check_frame(settings);
  return parts;
}

std::shared_ptr<Tokenizer::Parts> Tokenizer::Parts::from_vocabulary(
    const std::filesystem::path& file) {
  auto parts = std::make_shared<Parts>();
  parts->file = file;
  parts->digest = digest_of(read_text_file(file));
  parts->model = load_word_piece_vocabulary(file);
  const auto settings = read_special_token_settings(file.parent_path());
  std::vector<AddedToken> special;
  for (const char* content : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    const auto id = parts->model->vocabulary().find(content);
    if (id) special.push_back({*id, content, false, false, false, false, true});
  }
  parts->added = AddedTokens(std::move(special));
  const bool lowercase = settings.do_lower_case.value_or(true);
  parts->normalizer = bert_normalizer({true, true, lowercase, lowercase});
  parts->pre_tokenizer = bert_pre_tokenizer();
  parts->post_processor = surround_with({*parts->id("[CLS]")}, {*parts->id("[SEP]")});
  parts->decoder = word_piece_decoder("##", true);
  parts->set_special_tokens(settings);
  return parts;
}

void Tokenizer::Parts::set_special_tokens(const SpecialTokenSettings& settings) {
  const auto resolve = [&](const std::optional<std::string>& name,
                           const std::optional<std::int64_t>& from_config) {
    if (!name) return from_config;
    const auto found = id(*name);
    if (!found) {
      fail(ErrorCategory::input_data,
           "{}: has no token '{}', which the files beside it name as a special token",
           file.string(), *name);
    }
    return found;
  };
  bos = resolve(settings.bos_token, settings.bos_id);
  eos = resolve(settings.eos_token, settings.eos_id);
  mask = resolve(settings.mask_token, std::nullopt);
  for (const char* usual : {"<mask>", "[MASK]"}) {
    if (!mask) mask = id(usual);
  }
}

// Checks what the post-processor puts around a text.
void Tokenizer::Parts::check_frame(const SpecialTokenSettings& settings) const {
  std::vector<PlacedToken> frame;
  post_processor(frame, {});
  for (const auto& special : frame) {
    if (token(special.id) == nullptr) {
      fail(ErrorCategory::input_data,
           "{}: post_processor adds the token id {}, which the vocabulary does not have",
           file.string(), special.id);
    }
  }
  const auto check = [&](const char* key, const std::optional<bool>& wanted,
                         const std::optional<std::int64_t>& special, bool present) {
    if (!wanted || !special || *wanted == present) return;
    fail(ErrorCategory::input_data,
         "{}: post_processor contradicts {}={} of the tokenizer_config.json beside it; make both "
         "the same",
         file.string(), key, *wanted);
  };
  check("add_bos_token", settings.add_bos_token, bos, !frame.empty() && frame.front().id == bos);
  check("add_eos_token", settings.add_eos_token, eos, !frame.empty() && frame.back().id == eos);
}

// The tokens refer to the text of the segment and to the vocabulary.
void Tokenizer::Parts::append_tokens(const TextSegment& segment,
                                     std::vector<PlacedToken>& tokens) const {
  if (segment.token) {
    const std::string& matched = segment.text.text();
    tokens.push_back({*segment.token, matched, segment.text.input_span(0, matched.size())});
    return;
  }
  if (segment.text.empty()) return;
  for (const auto& piece : pre_tokenizer({segment.text})) {
    for (const auto& [id, span] : model->tokenize(piece.text())) {
      tokens.push_back(
          {id, *model->vocabulary().token(id), piece.input_span(span.begin, span.end)});
    }
  }
}

Encoding Tokenizer::Parts::encode(std::string_view text, bool add_special_tokens) const {
  if (const auto position = find_invalid_utf8(text)) {
    fail(ErrorCategory::input_data,
         "the text to tokenise is not UTF-8 at byte {}: '{}'; convert the file to UTF-8", *position,
         replace_invalid_utf8(text.substr(0, 60)));
  }
  const auto segments = added.split(AlignedText(text), normalizer);
  std::vector<PlacedToken> tokens;
  for (const auto& segment : segments) append_tokens(segment, tokens);
  post_processor(tokens, {text, add_special_tokens});
  Encoding encoding;
  for (const auto& token : tokens) {
    encoding.ids.push_back(token.id);
    encoding.offsets.push_back(token.offset);
  }
  return encoding;
}

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  const auto file = find_file(path);
  return Tokenizer(file.extension() == ".txt" ? Parts::from_vocabulary(file)
                                              : Parts::from_json(file));
}

Encoding Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  return parts_->encode(text, add_special_tokens);
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  for (const auto id : ids) {
    const AddedToken* added = parts_->added.find(id);
    if (skip_special_tokens && added != nullptr && added->special) continue;
    if (const std::string* token = parts_->token(id)) tokens.push_back(*token);
  }
  std::string text;
  for (const auto& part : parts_->decoder(std::move(tokens))) text += part;
  return text;
}

std::int64_t Tokenizer::vocab_size() const {
  std::int64_t highest = parts_->model->vocabulary().highest_id();
  for (const auto& token : parts_->added.tokens()) highest = std::max(highest, token.id);
  return highest + 1;
}

std::optional<std::int64_t> Tokenizer::token_to_id(std::string_view token) const {
  return parts_->id(token);
}

std::string Tokenizer::id_to_token(std::int64_t id) const {
  const std::string* token = parts_->token(id);
  if (token == nullptr) {
    fail(ErrorCategory::input_data, "{}: has no token with the id {}", parts_->file.string(), id);
  }
  return *token;
}

std::optional<std::int64_t> Tokenizer::bos_id() const {
  return parts_->bos;
}
std::optional<std::int64_t> Tokenizer::eos_id() const {
  return parts_->eos;
}
std::optional<std::int64_t> Tokenizer::mask_id() const {
  return parts_->mask;
}
std::string Tokenizer::digest() const {
  return parts_->digest;
}

}  // namespace tofu
