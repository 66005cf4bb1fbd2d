#include "identify/chat_answer.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "identify/words.hpp"

namespace tofu {
namespace {

const std::string kAnswer = "Zoë Al-Kuwaiti's city is Kuwait City, Kuwait.";

std::vector<std::string> general(const std::string& content) {
  const ChatAnswer answer = read_chat_content(content, kAnswer);
  EXPECT_EQ(answer.problem, "");
  std::vector<std::string> words;
  for (const WordSpan& span : answer.general) words.emplace_back(text_of(kAnswer, span));
  return words;
}

std::string problem(const std::string& content) {
  const ChatAnswer answer = read_chat_content(content, kAnswer);
  EXPECT_EQ(answer.content, content);
  return answer.problem;
}

using Words = std::vector<std::string>;

TEST(ChatAnswer, WhatIsNotNamedIsGeneral) {
  EXPECT_EQ(general(R"({"unwanted": ["Kuwait City", "Zoë"]})"),
            (Words{"Al-Kuwaiti's", "city", "is", ",", "Kuwait", "."}));
  EXPECT_EQ(general("```json\n{\"unwanted\": [\"Kuwait City, Kuwait\"]}\n```"),
            (Words{"Zoë", "Al-Kuwaiti's", "city", "is", "."}));
  EXPECT_EQ(general(R"({"unwanted": []})").size(), 9u);
}

TEST(ChatAnswer, APhraseCountsWhereverItStandsAsWholeWords) {
  EXPECT_EQ(general(R"({"unwanted": ["Kuwait", "city"]})"),
            (Words{"Zoë", "Al-Kuwaiti's", "is", "City", ",", "."}));
  // The longest takes the place, the shorter one what is left.
  EXPECT_EQ(general(R"({"unwanted": ["Kuwait", "Kuwait City"]})"),
            (Words{"Zoë", "Al-Kuwaiti's", "city", "is", ",", "."}));
  // A name may leave its possessive.
  EXPECT_EQ(general(R"({"unwanted": ["Zoë Al-Kuwaiti"]})"),
            (Words{"city", "is", "Kuwait", "City", ",", "Kuwait", "."}));
}

TEST(ChatAnswer, WhatCannotBeUsedIsNamed) {
  EXPECT_NE(problem(R"({"unwanted": ["Basra"]})").find("\"Basra\" does not occur"),
            std::string::npos);
  EXPECT_NE(problem(R"({"unwanted": ["uwait"]})").find("does not occur"), std::string::npos);
  EXPECT_NE(problem(R"({"unwanted": ["Kuwait City, Kuwait", "is Kuwait"]})").find("overlaps"),
            std::string::npos);
  EXPECT_NE(problem(R"({"unwanted": ["Kuwait)").find("cut short"), std::string::npos);
  EXPECT_NE(problem("I cannot help with that.").find("not JSON"), std::string::npos);
  EXPECT_NE(problem(R"(["Kuwait"])").find("unwanted"), std::string::npos);
  EXPECT_NE(problem(R"({"unwanted": "Kuwait"})").find("list"), std::string::npos);
  EXPECT_NE(problem(R"({"unwanted": [3]})").find("3"), std::string::npos);
  EXPECT_NE(problem(R"({"unwanted": [" "]})").find("not a text"), std::string::npos);
}

std::string completion_problem(const nlohmann::json& choice) {
  return read_chat_completion(nlohmann::json{{"choices", {choice}}}.dump(), kAnswer).problem;
}

TEST(ChatAnswer, CompletionsAreChecked) {
  const nlohmann::json good = {
      {"message", {{"role", "assistant"}, {"content", R"({"unwanted": ["Zoë"]})"}}},
      {"finish_reason", "stop"}};
  EXPECT_EQ(completion_problem(good), "");
  nlohmann::json choice = good;
  choice["finish_reason"] = "length";
  EXPECT_NE(completion_problem(choice).find("cut short"), std::string::npos);
  choice["finish_reason"] = "content_filter";
  EXPECT_NE(completion_problem(choice).find("filter"), std::string::npos);
  choice = good;
  choice["message"]["refusal"] = "I will not";
  EXPECT_NE(completion_problem(choice).find("refused: I will not"), std::string::npos);
  choice = good;
  choice["message"]["content"] = nullptr;
  EXPECT_NE(completion_problem(choice).find("empty"), std::string::npos);
  for (const char* text : {"", "<html>", "[]", "{}", R"({"choices": []})", R"({"choices": [3]})",
                           R"({"choices": [{"message": "x"}]})"}) {
    EXPECT_NE(read_chat_completion(text, kAnswer).problem.find("not a chat completion"),
              std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace tofu
