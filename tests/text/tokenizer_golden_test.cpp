// Reference cases: ids of Hugging Face's tokenizers, stems of NLTK, scores of rouge_score.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/reference.hpp"
#include "text/porter_stemmer.hpp"
#include "text/rouge.hpp"
#include "text/tokenizer.hpp"

namespace tofu {
namespace {

using nlohmann::json;

// The cases of a file; null where the file is not there.
json read_golden(const std::string& name) {
  const auto path = test::golden_directory() / name;
  return std::filesystem::exists(path) ? json::parse(std::ifstream(path)) : json();
}

std::filesystem::path tokenizer_folder(const std::string& family) {
  if (family == "mini") return test::source_directory() / "data" / "mini" / "model";
  static const std::map<std::string, std::string> folders{{"llama2-7b", "llama2"},
                                                          {"llama2-metaspace", "llama2-metaspace"},
                                                          {"llama3-3b", "llama3.2"},
                                                          {"smollm2", "smollm2"}};
  const auto folder = folders.find(family);
  return test::shared_directory() / "tokenizers" /
         (folder == folders.end() ? family : folder->second);
}

// The tokenizers of all families that tokenizer.json names, as far as they are on this machine.
std::map<std::string, Tokenizer> load_tokenizers(const json& cases) {
  std::map<std::string, Tokenizer> tokenizers;
  for (const auto& expected : cases) {
    for (const auto& [family, ids] : expected.items()) {
      if (family == "text" || tokenizers.contains(family)) continue;
      const auto folder = tokenizer_folder(family);
      if (std::filesystem::exists(folder)) tokenizers.emplace(family, Tokenizer::load(folder));
    }
  }
  return tokenizers;
}

TEST(TokenizerGolden, IdsAgree) {
  const json file = read_golden("tokenizer.json");
  if (file.is_null()) GTEST_SKIP() << "no reference cases";
  const auto tokenizers = load_tokenizers(file.at("cases"));
  if (tokenizers.empty()) GTEST_SKIP() << "no tokenizer of the reference cases";
  for (const auto& expected : file.at("cases")) {
    const std::string text = expected.at("text");
    for (const auto& [family, tokenizer] : tokenizers) {
      if (!expected.contains(family)) continue;
      const Encoding encoding = tokenizer.encode(text);
      EXPECT_EQ(encoding.ids, expected.at(family).get<std::vector<std::int64_t>>())
          << family << ": " << text;
      EXPECT_EQ(encoding.offsets.size(), encoding.ids.size());
    }
  }
}

TEST(TokenizerGolden, DecodingGivesTheTextBack) {
  const json file = read_golden("tokenizer.json");
  if (file.is_null()) GTEST_SKIP() << "no reference cases";
  const auto tokenizers = load_tokenizers(file.at("cases"));
  if (tokenizers.empty()) GTEST_SKIP() << "no tokenizer of the reference cases";
  for (const auto& [family, tokenizer] : tokenizers) {
    for (const auto& expected : file.at("cases")) {
      const std::string text = expected.at("text");
      // What looks like a special token is left out, and the space of metaspace is one with the
      // text's own.
      if (text.find("<s>") != std::string::npos || text.starts_with(' ')) continue;
      EXPECT_EQ(tokenizer.decode(tokenizer.encode(text).ids), text) << family;
    }
  }
}

TEST(TokenizerGolden, StoriesIdsAgree) {
  const json file = read_golden("stories260K.json");
  const auto folder = test::shared_directory() / "models" / "stories260K";
  if (file.is_null() || !std::filesystem::exists(folder)) GTEST_SKIP() << "no reference cases";
  const auto tokenizer = Tokenizer::load(folder);
  EXPECT_EQ(tokenizer.vocab_size(), 512);
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
  ASSERT_FALSE(file.at("cases").empty());
  for (const auto& expected : file.at("cases")) {
    const std::string text = expected.at("text");
    const auto ids = tokenizer.encode(text).ids;
    EXPECT_EQ(ids, expected.at("input_ids").get<std::vector<std::int64_t>>()) << text;
    EXPECT_EQ(tokenizer.decode(ids), text);
  }
}

TEST(TokenizerGolden, OffsetsAgree) {
  const json file = read_golden("token_masks.json");
  if (file.is_null() || test::shared_directory().empty()) GTEST_SKIP() << "no reference cases";
  std::map<std::string, Tokenizer> tokenizers;
  for (const auto& expected : file.at("cases")) {
    const std::string family = expected.at("model_family");
    const auto& tags = file.at("model_families").at(family);
    if (!tokenizers.contains(family)) {
      tokenizers.emplace(family, Tokenizer::load(tokenizer_folder(family)));
    }
    const std::string text = tags.at("question_start_tag").get<std::string>() +
                             expected.at("question").get<std::string>() +
                             tags.at("question_end_tag").get<std::string>() +
                             tags.at("answer_tag").get<std::string>() +
                             expected.at("answer").get<std::string>();
    std::vector<std::size_t> characters;  // the number of characters before each byte
    for (const char c : text) {
      const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      const std::size_t before = characters.empty() ? 0 : characters.back();
      characters.push_back(before + (starts ? 1 : 0));
    }
    std::vector<std::vector<std::size_t>> offsets;
    for (const auto& [begin, end] : tokenizers.at(family).encode(text).offsets) {
      offsets.push_back(
          {begin == 0 ? 0 : characters[begin - 1], end == 0 ? 0 : characters[end - 1]});
    }
    EXPECT_EQ(json(offsets), expected.at("offsets")) << text;
  }
}

TEST(StemmerGolden, StemsAgree) {
  const json file = read_golden("stems.json");
  if (file.is_null()) GTEST_SKIP() << "no reference cases";
  ASSERT_FALSE(file.at("stems").empty());
  for (const auto& [word, stem] : file.at("stems").items()) {
    EXPECT_EQ(porter_stem(word), stem.get<std::string>()) << word;
  }
}

TEST(RougeGolden, ScoresAgree) {
  const json file = read_golden("rouge.json");
  if (file.is_null()) GTEST_SKIP() << "no reference cases";
  ASSERT_FALSE(file.at("cases").empty());
  for (const auto& expected : file.at("cases")) {
    const std::string reference = expected.at("reference");
    const std::string candidate = expected.at("candidate");
    const RougeScore rouge1 = rouge_n(reference, candidate, 1);
    const RougeScore longest = rouge_l(reference, candidate);
    EXPECT_NEAR(rouge1.recall, expected.at("rouge1_recall").get<double>(), 1e-9) << candidate;
    EXPECT_NEAR(rouge1.f1, expected.at("rouge1_f").get<double>(), 1e-9) << candidate;
    EXPECT_NEAR(longest.recall, expected.at("rougeL_recall").get<double>(), 1e-9) << candidate;
    EXPECT_NEAR(longest.f1, expected.at("rougeL_f").get<double>(), 1e-9) << candidate;
  }
}

}  // namespace
}  // namespace tofu
