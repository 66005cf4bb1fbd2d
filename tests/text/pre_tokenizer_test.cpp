#include "text/pre_tokenizer.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "text/normalizer.hpp"

namespace tofu {
namespace {

using nlohmann::json;
using Strings = std::vector<std::string>;

Strings split(const char* description, std::string_view text) {
  const json parsed = json::parse(description);
  Strings words;
  for (const auto& piece :
       parse_pre_tokenizer({parsed, "t.json", "pre_tokenizer"})({AlignedText(text)})) {
    words.push_back(piece.text());
  }
  return words;
}

AlignedText normalize(const char* description, std::string_view text) {
  const json parsed = json::parse(description);
  return parse_normalizer({parsed, "t.json", "normalizer"})(AlignedText(text));
}

TEST(PreTokenizer, SplitBehaviors) {
  const auto by_dash = [](const std::string& behavior, const char* invert = "false") {
    const std::string description = R"({"type":"Split","pattern":{"String":"-"},"behavior":")" +
                                    behavior + R"(","invert":)" + invert + "}";
    return split(description.c_str(), "a--b-c");
  };
  EXPECT_EQ(by_dash("Removed"), (Strings{"a", "b", "c"}));
  EXPECT_EQ(by_dash("Isolated"), (Strings{"a", "-", "-", "b", "-", "c"}));
  EXPECT_EQ(by_dash("Contiguous"), (Strings{"a", "--", "b", "-", "c"}));
  EXPECT_EQ(by_dash("MergedWithPrevious"), (Strings{"a-", "-", "b-", "c"}));
  EXPECT_EQ(by_dash("MergedWithNext"), (Strings{"a", "-", "-b", "-c"}));
  EXPECT_EQ(by_dash("Removed", "true"), (Strings{"-", "-", "-"}));
  EXPECT_THROW(by_dash("Unheard"), Error);
}

TEST(PreTokenizer, DigitsPunctuationAndWhiteSpace) {
  EXPECT_EQ(split(R"({"type":"Digits","individual_digits":true})", "a12½"),
            (Strings{"a", "1", "2", "½"}));
  EXPECT_EQ(split(R"({"type":"Digits","individual_digits":false})", "a12b"),
            (Strings{"a", "12", "b"}));
  EXPECT_EQ(split(R"({"type":"Punctuation"})", "a,“b”"), (Strings{"a", ",", "“", "b", "”"}));
  EXPECT_EQ(split(R"({"type":"WhitespaceSplit"})", " a\u3000b-c\r\n"), (Strings{"a", "b-c"}));
  EXPECT_EQ(split(R"({"type":"Whitespace"})", "a-b  c"), (Strings{"a", "-", "b", "c"}));
}

TEST(PreTokenizer, MetaspaceSchemes) {
  const auto metaspace = [](const std::string& rest, std::string_view text) {
    return split((R"({"type":"Metaspace","replacement":"_")" + rest + "}").c_str(), text);
  };
  EXPECT_EQ(metaspace("", "a  b"), (Strings{"_a", "_", "_b"}));
  EXPECT_EQ(metaspace(R"(,"split":false)", " a b"), (Strings{"_a_b"}));
  EXPECT_EQ(metaspace(R"(,"prepend_scheme":"never")", "a b"), (Strings{"a", "_b"}));
  EXPECT_EQ(metaspace(R"(,"add_prefix_space":false)", "a b"), (Strings{"a", "_b"}));
  EXPECT_THROW(metaspace(R"(,"add_prefix_space":false,"prepend_scheme":"first")", "a"), Error);
  EXPECT_THROW(metaspace(R"(,"prepend_scheme":"last")", "a"), Error);
}

TEST(PreTokenizer, ByteLevelSpellsBytes) {
  EXPECT_EQ(split(R"({"type":"ByteLevel","add_prefix_space":true})", "I'm é"),
            (Strings{"ĠI", "'m", "ĠÃ©"}));
  EXPECT_EQ(split(R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})", "a b"),
            (Strings{"aĠb"}));
}

TEST(PreTokenizer, UnknownTypesAndKeysAreNamed) {
  for (const char* description :
       {R"({"type":"UnicodeScripts"})", R"({"type":"Digits","individual_digits":true,"new":1})",
        R"({"no_type":1})", R"(["a"])", R"({"type":"Sequence","pretokenizers":[{"type":"X"}]})"}) {
    try {
      split(description, "a");
      FAIL() << description;
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::input_data);
      EXPECT_NE(std::string(error.what()).find("t.json: pre_tokenizer"), std::string::npos);
    }
  }
}

TEST(Normalizer, NormalForms) {
  EXPECT_EQ(normalize(R"({"type":"NFC"})", "e\u0301\u1100\u1161x").text(), "é\uac00x");
  EXPECT_EQ(normalize(R"({"type":"NFD"})", "é").text(), "e\u0301");
  EXPECT_EQ(normalize(R"({"type":"NFKC"})", "ﬁ①").text(), "fi1");
  EXPECT_EQ(normalize(R"({"type":"Lowercase"})", "ÀİΣ").text(), "ài\u0307σ");
  EXPECT_EQ(normalize(R"({"type":"Strip","strip_left":true,"strip_right":false})", " a ").text(),
            "a ");
  EXPECT_EQ(normalize("null", "A").text(), "A");
}

TEST(Normalizer, WhatIsRewrittenKeepsItsPlace) {
  const auto text = normalize(
      R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_"},
          {"type":"Replace","pattern":{"String":" "},"content":"__"}]})",
      "é b");
  EXPECT_EQ(text.text(), "_é__b");
  EXPECT_EQ(text.input_span(0, 1), (ByteSpan{0, 2}));
  EXPECT_EQ(text.input_span(3, 5), (ByteSpan{2, 3}));
  EXPECT_EQ(text.input_span(5, 6), (ByteSpan{3, 4}));
  EXPECT_TRUE(normalize(R"({"type":"Prepend","prepend":"_"})", "").empty());
}

TEST(Normalizer, UnknownTypesAreNamed) {
  for (const char* description :
       {R"({"type":"Precompiled","precompiled_charsmap":"AA"})", R"({"type":"Nmt"})",
        R"({"type":"NFC","extra":1})", R"({"type":"Strip"})"}) {
    EXPECT_THROW(normalize(description, "a"), Error) << description;
  }
}

}  // namespace
}  // namespace tofu
