#include "text/pattern.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace tofu {
namespace {

std::vector<std::string> matches(const std::string& expression, std::string_view text) {
  const nlohmann::json json = expression;
  std::vector<std::string> found;
  for (const auto& span : Pattern::regex(expression, {json, "t.json", "Regex"}).find_all(text)) {
    found.emplace_back(text.substr(span.begin, span.end - span.begin));
  }
  return found;
}

using Strings = std::vector<std::string>;

TEST(Pattern, ReadsClassesAsOnigurumaDoes) {
  // U+180E is no white space, a combining mark is part of a word, and so is a circled letter.
  EXPECT_EQ(matches(R"(\s+)", "a\u180e \u0085b"), (Strings{" \u0085"}));
  EXPECT_EQ(matches(R"(\S)", "a\u180e "), (Strings{"a", "\u180e"}));
  EXPECT_EQ(matches(R"(\w+)", "e\u0301_\u24d0 x"), (Strings{"e\u0301_\u24d0", "x"}));
  EXPECT_EQ(matches(R"([^\s\p{L}]+)", "a12 b"), (Strings{"12"}));
  EXPECT_EQ(matches(R"(^b$)", "a\nb\nc"), (Strings{"b"}));
  EXPECT_EQ(matches(R"(\p{N}{1,3}|\p{Lu}++)", "1234AB"), (Strings{"123", "4", "AB"}));
}

TEST(Pattern, EmptyMatchesMoveOn) {
  EXPECT_EQ(matches("x*", "éx"), (Strings{"", "x"}));
  EXPECT_TRUE(Pattern::literal("").find_all("abc").empty());
}

TEST(Pattern, RefusesWhatTheLibrariesReadDifferently) {
  for (const char* expression : {R"(\h)", R"([a&&b])", R"([a[bc]])", "(?m:.)", "(?s)a", R"(a{2}+)",
                                 "a{,2}", R"([\S])", R"(\R)", R"((a)\1)", "a\\", "(unclosed"}) {
    EXPECT_THROW(matches(expression, "a"), Error) << expression;
  }
}

TEST(Pattern, LiteralsDoNotOverlap) {
  EXPECT_EQ(Pattern::literal("aa").find_all("aaaaa"), (std::vector<ByteSpan>{{0, 2}, {2, 4}}));
}

}  // namespace
}  // namespace tofu
