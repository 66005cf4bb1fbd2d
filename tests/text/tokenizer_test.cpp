#include "text/tokenizer.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"

namespace tofu {
namespace {

using nlohmann::json;
using Ids = std::vector<std::int64_t>;
using Offsets = std::vector<ByteSpan>;

json added_token(int id, const std::string& content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

// A small tokenizer.json to start from; each test writes its own into a folder of its own.
class TokenizerFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("tokenizer_" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    file_ = {{"version", "1.0"},
             {"truncation", nullptr},
             {"padding", nullptr},
             {"added_tokens", {added_token(0, "<s>"), added_token(8, "<mask>")}},
             {"normalizer", nullptr},
             {"pre_tokenizer", nullptr},
             {"post_processor", nullptr},
             {"decoder", {{"type", "Fuse"}}},
             {"model",
              {{"type", "BPE"},
               {"unk_token", "<unk>"},
               {"vocab",
                {{"<s>", 0},
                 {"<unk>", 1},
                 {"a", 2},
                 {"b", 3},
                 {"c", 4},
                 {" ", 5},
                 {"ab", 6},
                 {"abc", 7}}},
               {"merges", {"a b", "ab c"}}}}};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  Tokenizer load() const {
    write("tokenizer.json", file_.dump());
    return Tokenizer::load(folder_);
  }
  // The message of the error that loading gives.
  std::string refusal() const {
    try {
      load();
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::input_data);
      return error.what();
    }
    return "it was loaded";
  }
  void expect_refusal(const std::string& part) const {
    EXPECT_NE(refusal().find(part), std::string::npos) << refusal();
  }

  std::filesystem::path folder_;
  json file_;
};

TEST_F(TokenizerFile, MergesInTheirOrder) {
  const auto tokenizer = load();
  EXPECT_EQ(tokenizer.encode("abcab").ids, (Ids{7, 6}));
  EXPECT_EQ(tokenizer.encode("abcab").offsets, (Offsets{{0, 3}, {3, 5}}));
  EXPECT_EQ(tokenizer.encode("bca").ids, (Ids{3, 4, 2}));
  EXPECT_TRUE(tokenizer.encode("").ids.empty());
  EXPECT_EQ(tokenizer.decode(Ids{7, 5, 6}), "abc ab");
}

TEST_F(TokenizerFile, MergesAsLists) {
  file_["model"]["merges"] = json::array({json::array({"a", "b"}), json::array({"ab", "c"})});
  EXPECT_EQ(load().encode("abc").ids, (Ids{7}));
}

TEST_F(TokenizerFile, IgnoreMergesTakesWholeWords) {
  file_["model"]["merges"] = {"b c", "a b"};
  file_["model"]["vocab"]["bc"] = 8;
  file_["added_tokens"] = json::array();
  EXPECT_EQ(load().encode("abc").ids, (Ids{2, 8}));
  file_["model"]["ignore_merges"] = true;
  EXPECT_EQ(load().encode("abc").ids, (Ids{7}));
}

TEST_F(TokenizerFile, UnknownCharacters) {
  EXPECT_EQ(load().encode("aéxb").ids, (Ids{2, 1, 1, 3}));
  file_["model"]["fuse_unk"] = true;
  EXPECT_EQ(load().encode("aéxb").ids, (Ids{2, 1, 3}));
  EXPECT_EQ(load().encode("aéxb").offsets, (Offsets{{0, 1}, {1, 4}, {4, 5}}));
  file_["model"]["unk_token"] = nullptr;
  EXPECT_EQ(load().encode("aéxb").ids, (Ids{6}));
}

TEST_F(TokenizerFile, ByteFallback) {
  file_["model"]["vocab"]["<0xC3>"] = 8;
  file_["model"]["vocab"]["<0xA9>"] = 9;
  file_["model"]["byte_fallback"] = true;
  file_["added_tokens"] = json::array();
  file_["decoder"] = {{"type", "ByteFallback"}};
  const auto tokenizer = load();
  EXPECT_EQ(tokenizer.encode("aéx").ids, (Ids{2, 8, 9, 1}));
  EXPECT_EQ(tokenizer.encode("aéx").offsets, (Offsets{{0, 1}, {1, 3}, {1, 3}, {3, 4}}));
  EXPECT_EQ(tokenizer.decode(Ids{2, 8, 9, 2}), "aéa");
  EXPECT_EQ(tokenizer.decode(Ids{8, 9, 8}), "\uFFFD\uFFFD\uFFFD");  // one for each byte of the run
}

TEST_F(TokenizerFile, AddedTokensAreFoundFirst) {
  file_["added_tokens"][1]["lstrip"] = true;
  const auto tokenizer = load();
  EXPECT_EQ(tokenizer.encode("a  <mask>b<s>").ids, (Ids{2, 8, 3, 0}));
  EXPECT_EQ(tokenizer.encode("a  <mask>b").offsets, (Offsets{{0, 1}, {1, 9}, {9, 10}}));
  EXPECT_EQ(tokenizer.decode(Ids{0, 2, 8}), "a");
  EXPECT_EQ(tokenizer.decode(Ids{0, 2, 8}, false), "<s>a<mask>");
  EXPECT_EQ(tokenizer.mask_id(), 8);
  EXPECT_EQ(tokenizer.vocab_size(), 9);
  EXPECT_EQ(tokenizer.id_to_token(8), "<mask>");
  EXPECT_EQ(tokenizer.token_to_id("abc"), 7);
  EXPECT_EQ(tokenizer.token_to_id("abcd"), std::nullopt);
  EXPECT_THROW(tokenizer.id_to_token(9), Error);
  EXPECT_EQ(tokenizer.decode(Ids{9, -1, 2}), "a");
}

TEST_F(TokenizerFile, SingleWordTokensNeedAnEdge) {
  file_["added_tokens"].push_back(added_token(9, "bb"));
  file_["added_tokens"][2]["single_word"] = true;
  EXPECT_EQ(load().encode("bb abb").ids, (Ids{9, 5, 6, 3}));
}

TEST_F(TokenizerFile, TheLongestAddedTokenWins) {
  file_["added_tokens"].push_back(added_token(9, "<s"));
  EXPECT_EQ(load().encode("<s><s").ids, (Ids{0, 9}));
}

TEST_F(TokenizerFile, NormalizedTokensAreFoundInNormalizedText) {
  file_["normalizer"] = {{"type", "Lowercase"}};
  file_["added_tokens"][1]["content"] = "Mask";
  file_["added_tokens"][1]["normalized"] = true;
  EXPECT_EQ(load().encode("aMASKB").ids, (Ids{2, 8, 3}));
}

TEST_F(TokenizerFile, TemplatesFrameTheText) {
  file_["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
        {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
      {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {0}}, {"tokens", {"<s>"}}}}}}};
  EXPECT_EQ(load().encode("ab").ids, (Ids{0, 6}));
  EXPECT_EQ(load().encode("ab").offsets, (Offsets{{0, 0}, {0, 2}}));
  EXPECT_EQ(load().encode("ab", false).ids, (Ids{6}));
  file_["post_processor"]["special_tokens"]["<s>"]["ids"] = {77};
  expect_refusal("77");
}

TEST_F(TokenizerFile, RobertaTrimsOffsets) {
  file_["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  file_["model"]["vocab"] = {{"<s>", 0}, {"a", 1}, {"Ġ", 2}, {"Ġa", 3}};
  file_["model"]["unk_token"] = nullptr;
  file_["model"]["merges"] = {"Ġ a"};
  file_["added_tokens"] = {added_token(0, "<s>"), added_token(4, "</s>")};
  file_["post_processor"] = {{"type", "RobertaProcessing"},
                             {"sep", {"</s>", 4}},
                             {"cls", {"<s>", 0}},
                             {"trim_offsets", true},
                             {"add_prefix_space", false}};
  const auto encoding = load().encode("a a");
  EXPECT_EQ(encoding.ids, (Ids{0, 1, 3, 4}));
  EXPECT_EQ(encoding.offsets, (Offsets{{0, 0}, {0, 1}, {2, 3}, {0, 0}}));
}

TEST_F(TokenizerFile, LongTextsTakeReasonableMemoryAndKeepTheirOrder) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "abc ";
  EXPECT_EQ(load().encode(text).ids.size(), 200000u);
}

TEST_F(TokenizerFile, TextThatIsNotUtf8IsRefused) {
  const auto tokenizer = load();
  EXPECT_THROW(tokenizer.encode("a\xff"), Error);
  EXPECT_THROW(tokenizer.encode("a\xe2\x82"), Error);
  EXPECT_EQ(tokenizer
                .encode("\xEF\xBB\xBF"
                        "a\r\n")
                .offsets.back(),
            (ByteSpan{5, 6}));
}

TEST_F(TokenizerFile, SpecialTokensFromTheFilesBeside) {
  EXPECT_EQ(load().eos_id(), std::nullopt);
  write("config.json", R"({"eos_token_id": [3, 4], "bos_token_id": null})");
  EXPECT_EQ(load().eos_id(), 3);
  write("special_tokens_map.json", R"({"eos_token": {"content": "c"}, "bos_token": "b"})");
  EXPECT_EQ(load().eos_id(), 4);
  write("tokenizer_config.json", R"({"bos_token": "<s>", "model_max_length": 1e30})");
  EXPECT_EQ(load().bos_id(), 0);
  write("tokenizer_config.json", R"({"bos_token": "<none>"})");
  expect_refusal("<none>");
  write("tokenizer_config.json", "{");
  expect_refusal("tokenizer_config.json");
}

TEST_F(TokenizerFile, ContradictionsBesideAreRefused) {
  write("tokenizer_config.json", R"({"bos_token": "<s>", "add_bos_token": true})");
  expect_refusal("add_bos_token");
  write("tokenizer_config.json", R"({"add_prefix_space": true})");
  file_["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  expect_refusal("add_prefix_space");
  write("tokenizer_config.json", R"({"added_tokens_decoder": {"2": {"content": "a"}}})");
  expect_refusal("added_tokens");
}

TEST_F(TokenizerFile, WhatIsNotImplementedIsNamed) {
  const std::vector<std::pair<std::string, json>> changes{
      {"/model/type", "Unigram"},
      {"/model/dropout", 0.1},
      {"/model/new_option", true},
      {"/normalizer", {{"type", "Precompiled"}}},
      {"/pre_tokenizer", {{"type", "UnicodeScripts"}}},
      {"/post_processor", {{"type", "Other"}}},
      {"/decoder", {{"type", "CTC"}}},
      {"/new_section", 1}};
  const json original = file_;
  for (const auto& [path, value] : changes) {
    file_ = original;
    file_[json::json_pointer(path)] = value;
    const std::string message = refusal();
    EXPECT_NE(message.find("tokenizer.json"), std::string::npos) << path << ": " << message;
    EXPECT_NE(message.find("implement"), std::string::npos) << path << ": " << message;
  }
}

TEST_F(TokenizerFile, DamagedContentIsNamed) {
  const std::vector<std::pair<std::string, json>> changes{{"/model/vocab", json::object()},
                                                          {"/model/vocab/a", -1},
                                                          {"/model/vocab/a", "2"},
                                                          {"/model/vocab/a", 18446744073709551615u},
                                                          {"/model/merges/0", "a  b"},
                                                          {"/model/merges/0", "a x"},
                                                          {"/model/merges/0", {"a", "b", "c"}},
                                                          {"/model/unk_token", "<none>"},
                                                          {"/added_tokens/1/id", 9},
                                                          {"/added_tokens/0/id", 5},
                                                          {"/added_tokens/0/content", ""},
                                                          {"/added_tokens", 3},
                                                          {"/model", nullptr}};
  const json original = file_;
  for (const auto& [path, value] : changes) {
    file_ = original;
    file_[json::json_pointer(path)] = value;
    EXPECT_NE(refusal(), "it was loaded") << path << " " << value;
  }
}

TEST_F(TokenizerFile, FilesThatAreNoTokenizers) {
  load();
  const std::string whole = file_.dump();
  for (const std::string& content :
       {whole.substr(0, whole.size() / 2), std::string(), std::string("[]"), std::string("{}"),
        std::string("version https://git-lfs.github.com/spec/v1\n"), std::string("<html></html>"),
        std::string("\xff\xfe{\0}\0", 6)}) {
    write("tokenizer.json", content);
    EXPECT_THROW(Tokenizer::load(folder_ / "tokenizer.json"), Error) << content;
  }
  try {
    Tokenizer::load(folder_ / "nowhere");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::file_system);
  }
  std::filesystem::remove(folder_ / "tokenizer.json");
  EXPECT_THROW(Tokenizer::load(folder_), Error);
}

TEST_F(TokenizerFile, TruncationAndPaddingAreNotApplied) {
  file_["truncation"] = {{"max_length", 1}};
  file_["padding"] = {{"strategy", {{"Fixed", 10}}}};
  EXPECT_EQ(load().encode("abc ab").ids, (Ids{7, 5, 6}));
}

TEST_F(TokenizerFile, TheDigestFollowsTheContent) {
  const std::string before = load().digest();
  EXPECT_EQ(before.size(), 16u);
  EXPECT_EQ(before, load().digest());
  file_["model"]["vocab"]["d"] = 9;
  file_["added_tokens"].erase(1);
  EXPECT_NE(before, load().digest());
}

TEST_F(TokenizerFile, BertVocabulary) {
  write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##able\nable\n,\ncafe\r\n");
  const auto tokenizer = Tokenizer::load(folder_);
  const auto encoding = tokenizer.encode("Unable, CAFÉ [MASK] xyz");
  EXPECT_EQ(encoding.ids, (Ids{2, 5, 6, 8, 9, 4, 1, 3}));
  EXPECT_EQ(encoding.offsets,
            (Offsets{{0, 0}, {0, 2}, {2, 6}, {6, 7}, {8, 13}, {14, 20}, {21, 24}, {0, 0}}));
  EXPECT_EQ(tokenizer.decode(encoding.ids), "unable, cafe");
  EXPECT_EQ(tokenizer.mask_id(), 4);
  write("vocab.txt", "a\nb\n");
  EXPECT_THROW(Tokenizer::load(folder_), Error);
}

}  // namespace
}  // namespace tofu
