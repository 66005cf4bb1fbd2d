#include "data/json_masks.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/file_test_support.hpp"

namespace tofu {
namespace {

using test::expect_error;

class JsonMasks : public testing::Test {
 protected:
  AnswerMasks read(const std::string& content) {
    test::write_bytes(folder_ / "forget01_with_common_words_gpt.jsonl", content);
    return read_masks(folder_.path(), "forget01", "gpt", records_);
  }
  AnswerMasks read_words(const std::string& words) { return read(line(words)); }
  std::string line(const std::string& words) {
    return R"({"question": "Qé", "answer": "Née à Kovařík.", "common_words": )" + words + "}\n";
  }
  void expect_refused(const std::string& content, std::vector<std::string> parts) {
    parts.emplace_back("forget01_with_common_words_gpt.jsonl");
    expect_error(ErrorCategory::input_data, parts, [&] { read(content); });
  }

  test::TemporaryFolder folder_;
  const std::vector<Record> records_ = {{"Qé", "Née à Kovařík.", "", {}}};
};

TEST_F(JsonMasks, CharactersBecomeBytes) {
  const AnswerMasks expected = {{{0, 4}, {5, 7}, {17, 18}}};
  EXPECT_EQ(read_words(R"([{"word": "Née", "start": 0, "end": 3},)"
                       R"( {"word": "à", "start": 4, "end": 5},)"
                       R"( {"word": ".", "start": 13, "end": 14}])"),
            expected);
}

TEST_F(JsonMasks, EntriesMayBeStringsOfJsonInAnyOrder) {
  const AnswerMasks expected = {{{0, 4}, {5, 7}}};
  EXPECT_EQ(read_words(R"(["{\"word\": \"\\u00e0\", \"start\": 4, \"end\": 5}",)"
                       R"( "{\"word\": \"Née\", \"start\": 0, \"end\": 3}",)"
                       R"( {"word": "Née", "start": 0, "end": 3}])"),
            expected);
  EXPECT_EQ(read_words("[]"), AnswerMasks{{}});
}

TEST_F(JsonMasks, WhatDoesNotFitIsNamed) {
  const auto word = [&](const std::string& text) { return line("[" + text + "]"); };
  const std::string place = "line 1 (record 1)";
  expect_refused(word(R"({"word": "Née", "start": 0, "end": 15})"), {place, "[0, 15)", "14"});
  expect_refused(word(R"({"word": "Née", "start": -1, "end": 3})"), {place, "outside"});
  expect_refused(word(R"({"word": "", "start": 3, "end": 3})"), {place, "outside"});
  expect_refused(word(R"({"word": "Née", "start": 1, "end": 4})"), {place, "\"Née\"", "\"ée \""});
  expect_refused(word(R"({"word": "Née", "start": 0})"), {place, "start and end"});
  expect_refused(word(R"({"word": "Née", "start": 0.5, "end": 3})"), {place, "start and end"});
  expect_refused(word(R"("Née")"), {place, "start and end"});
  expect_refused(line("3"), {place, "common_words"});
  expect_refused(R"({"question": "Qé", "answer": "Née à Kovařík."})", {place, "common_words"});
  expect_refused(R"({"question": "Q", "answer": "Née à Kovařík.", "common_words": []})",
                 {place, "question", "Qé"});
  expect_refused(R"({"question": "Qé", "answer": "Née", "common_words": []})", {place, "answer"});
  expect_refused(line("[]") + line("[]"), {"2 records", "the split has 1"});
}

TEST_F(JsonMasks, AMissingFileListsTheOthers) {
  read_words("[]");
  EXPECT_EQ(available_masks(folder_.path()), (std::vector<MaskName>{{"forget01", "gpt"}}));
  expect_error(ErrorCategory::input_data,
               {"forget01_with_common_words_bert.jsonl", "forget01 (gpt)"},
               [&] { read_masks(folder_.path(), "forget01", "bert", records_); });
  expect_error(ErrorCategory::input_data, {"../gpt"},
               [&] { read_masks(folder_.path(), "forget01", "../gpt", records_); });
}

TEST_F(JsonMasks, NamesOfOtherFilesAreNotMasks) {
  EXPECT_EQ(parse_mask_file_name("a_b_with_common_words_c_d.jsonl"), (MaskName{"a_b", "c_d"}));
  EXPECT_FALSE(parse_mask_file_name("forget01.jsonl"));
  EXPECT_FALSE(parse_mask_file_name("_with_common_words_gpt.jsonl"));
  EXPECT_FALSE(parse_mask_file_name("forget01_with_common_words_.jsonl"));
  EXPECT_FALSE(parse_mask_file_name("forget01_with_common_words_gpt.txt"));
}

TEST_F(JsonMasks, WrittenMasksComeBack) {
  const AnswerMasks masks = {{{0, 4}, {5, 7}, {17, 18}}};
  write_masks(folder_.path(), "forget01", "own", records_, masks);
  EXPECT_EQ(read_masks(folder_.path(), "forget01", "own", records_), masks);
}

}  // namespace
}  // namespace tofu
