#include "identify/chat_answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "identify/words.hpp"

namespace tofu {
namespace {

using nlohmann::json;

ChatAnswer unusable(std::string content, std::string problem) {
  return {{}, std::move(content), std::move(problem)};
}

// What is inside ```json ... ```, which models like to put around JSON.
std::string_view without_fence(std::string_view text) {
  text = strip(text);
  constexpr std::string_view kFence = "```";
  if (!text.starts_with(kFence) || !text.ends_with(kFence) || text.size() < 2 * kFence.size()) {
    return text;
  }
  text = text.substr(kFence.size(), text.size() - 2 * kFence.size());
  if (text.starts_with("json")) text.remove_prefix(4);
  return strip(text);
}

// The phrases of an answer, longest first, or a problem.
std::string read_phrases(std::string_view content, std::vector<std::string>* phrases) {
  const json value = json::parse(content, nullptr, false);
  if (value.is_discarded()) return "it is not JSON, or it is cut short";
  if (!value.is_object() || !value.contains("unwanted") || !value["unwanted"].is_array()) {
    return "it is not an object with the list \"unwanted\"";
  }
  for (const json& phrase : value["unwanted"]) {
    if (!phrase.is_string() || strip(phrase.get<std::string>()).empty()) {
      return "an entry of \"unwanted\" is not a text: " + phrase.dump();
    }
    phrases->emplace_back(strip(phrase.get<std::string>()));
  }
  std::stable_sort(phrases->begin(), phrases->end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  phrases->erase(std::unique(phrases->begin(), phrases->end()), phrases->end());
  return {};
}

bool overlaps(const WordSpan& a, const WordSpan& b) {
  return a.begin < b.end && b.begin < a.end;
}

// An answer's words and marks, and which of them are taken by phrases.
class PhraseFinder {
 public:
  explicit PhraseFinder(const std::string& answer)
      : answer_(answer), parts_(words_and_marks(answer)), taken_(parts_.size(), false) {}

  // Marks every place of the phrase that is free; returns what is wrong.
  std::string take(const std::string& phrase) {
    bool occurs = false;
    bool found_place = false;
    for (std::size_t at = answer_.find(phrase); at != std::string::npos;
         at = answer_.find(phrase, at + 1)) {
      const WordSpan span{at, at + phrase.size()};
      if (cuts_a_word(span)) continue;
      occurs = true;
      if (is_free(span)) {
        mark(span);
        found_place = true;
      }
    }
    if (!occurs) return fmt::format("\"{}\" does not occur in the answer", phrase);
    if (!found_place)
      return fmt::format("\"{}\" overlaps other phrases wherever it occurs", phrase);
    return {};
  }

  std::vector<WordSpan> free_parts() const {
    std::vector<WordSpan> free;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!taken_[i]) free.push_back(parts_[i].span);
    }
    return free;
  }

 private:
  // A possessive 's and the parts of a hyphenated word may be cut off: their joint is no letter.
  bool cuts_a_word(const WordSpan& span) const {
    const auto pieces = [&](std::size_t begin, std::size_t end) {
      return words_and_marks(std::string_view(answer_).substr(begin, end - begin));
    };
    for (const TextPart& part : parts_) {
      if (!part.is_word || !overlaps(part.span, span)) continue;
      for (const std::size_t border : {span.begin, span.end}) {
        if (border <= part.span.begin || border >= part.span.end) continue;
        const auto left = pieces(part.span.begin, border);
        const auto right = pieces(border, part.span.end);
        if (left.back().is_word && right.front().is_word) return true;
      }
    }
    return false;
  }

  bool is_free(const WordSpan& span) const {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (taken_[i] && overlaps(parts_[i].span, span)) return false;
    }
    return true;
  }

  void mark(const WordSpan& span) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (overlaps(parts_[i].span, span)) taken_[i] = true;
    }
  }

  const std::string& answer_;
  std::vector<TextPart> parts_;
  std::vector<bool> taken_;
};

}  // namespace

ChatAnswer read_chat_content(const std::string& content, const std::string& answer) {
  std::vector<std::string> phrases;
  std::string problem = read_phrases(without_fence(content), &phrases);
  PhraseFinder finder(answer);
  for (const std::string& phrase : phrases) {
    if (!problem.empty()) break;
    problem = finder.take(phrase);
  }
  if (!problem.empty()) return unusable(content, problem);
  return {finder.free_parts(), content, {}};
}

ChatAnswer read_chat_completion(std::string_view json_text, const std::string& answer) {
  const json completion = json::parse(json_text, nullptr, false);
  const json choice = completion.is_object() && completion.contains("choices") &&
                              completion["choices"].is_array() && !completion["choices"].empty()
                          ? completion["choices"][0]
                          : json();
  if (!choice.is_object() || !choice.contains("message") || !choice["message"].is_object()) {
    return unusable({}, "the response is not a chat completion");
  }
  const json& text = choice["message"].value("content", json());
  const std::string content = text.is_string() ? text.get<std::string>() : "";
  const json refusal = choice["message"].value("refusal", json());
  if (refusal.is_string() && !refusal.get<std::string>().empty()) {
    return unusable(content, "the model refused: " + refusal.get<std::string>());
  }
  const json reason = choice.value("finish_reason", json());
  if (reason == "length")
    return unusable(content, "the answer was cut short (finish_reason length)");
  if (reason == "content_filter") return unusable(content, "the answer was held back by a filter");
  if (content.empty()) return unusable({}, "the answer is empty");
  return read_chat_content(content, answer);
}

}  // namespace tofu
