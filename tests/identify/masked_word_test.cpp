#include "identify/masked_word.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "identify/tiny_encoder.hpp"
#include "identify/words.hpp"
#include "store/file_test_support.hpp"
#include "support/reference.hpp"
#include "text/unicode.hpp"

namespace tofu {
namespace {

using nlohmann::json;

// A folder that rank 0 fills and all read.
class SharedFolder {
 public:
  explicit SharedFolder(const HostGroup& world) {
    world.on_root([&] { folder_.emplace(); });
    path_ = world.broadcast_from_root(folder_ ? folder_->path().string() : "");
  }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::optional<test::TemporaryFolder> folder_;
  std::filesystem::path path_;
};

class MaskedWord : public testing::Test {
 protected:
  MaskedWord() : folder_(world_) {
    world_.on_root([&] { test::TinyEncoder(true).write(folder_.path()); });
    tokenizer_.emplace(Tokenizer::load(folder_.path()));
    model_.emplace(MaskedLm::load(folder_.path(), at::kCPU));
  }
  // Ranks leave the folder together.
  ~MaskedWord() override { world_.barrier(); }

  std::string key() const { return "k"; }
  std::optional<AnswerMasks> identify(const std::vector<Record>& records,
                                      const std::function<bool()>& stop,
                                      std::int64_t batch_size = 2) {
    std::optional<PartialResults> partial;
    world_.on_root([&] { partial.emplace(folder_ / "x.partial", key()); });
    return identify_masked_words({*model_, *tokenizer_, 0, batch_size, stop}, records,
                                 partial ? &*partial : nullptr, world_);
  }

  const HostGroup world_{MPI_COMM_WORLD, 60};
  SharedFolder folder_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<MaskedLm> model_;
};

const std::vector<Record> kRecords = {{"a b", "c d e f g h", {}, {}},
                                      {"", "abc", {}, {}},
                                      {"x y z", "a a a a a a a", {}, {}},
                                      {"q", "one two  three", {}, {}},
                                      {"long", "a b c d e f g h i j k l m n o p q r s t", {}, {}}};

bool never() {
  return false;
}

TEST_F(MaskedWord, TheSpaceBeforeTheMaskBelongsToIt) {
  const MaskedText text = mask_word(*tokenizer_, "a bc d", {2, 4}, 100);
  EXPECT_EQ(text.ids, (std::vector<std::int64_t>{0, 5, 4, 11, 2}));
  EXPECT_EQ(text.position, 2);
}

TEST_F(MaskedWord, TheMasksOwnSpellingInATextIsAnotherToken) {
  const MaskedText text = mask_word(*tokenizer_, "<mask> a <mask>", {7, 8}, 100);
  EXPECT_EQ(text.ids, (std::vector<std::int64_t>{0, 4, 4, 4, 2}));
  EXPECT_EQ(text.position, 2);
}

TEST_F(MaskedWord, ALongTextIsSeenThroughAWindow) {
  const std::string text = "a b c d e f g h i j";  // ten tokens, and two around them
  for (std::size_t word = 0; word < 10; ++word) {
    const MaskedText seen = mask_word(*tokenizer_, text, {2 * word, 2 * word + 1}, 7);
    ASSERT_EQ(seen.ids.size(), 7u);
    EXPECT_EQ(seen.ids.front(), 0);
    EXPECT_EQ(seen.ids.back(), 2);
    EXPECT_EQ(seen.ids[static_cast<std::size_t>(seen.position)], 4);
  }
  // In the middle of the window where there is text on both sides, at its end else.
  EXPECT_EQ(mask_word(*tokenizer_, text, {10, 11}, 7).position, 3);
  EXPECT_EQ(mask_word(*tokenizer_, text, {0, 1}, 7).position, 1);
  EXPECT_EQ(mask_word(*tokenizer_, text, {18, 19}, 7).position, 5);
  EXPECT_EQ(mask_word(*tokenizer_, text, {10, 11}, 12).ids.size(), 12u);
  test::expect_error(ErrorCategory::input_data, {"2 tokens"}, [&] {
    mask_word(*tokenizer_, text, {0, 1}, 2);
  });
}

TEST_F(MaskedWord, AWordIsFoundAgainWhateverItsCase) {
  EXPECT_TRUE(is_found_again("École", " école ", 0.5, 0.5));
  EXPECT_FALSE(is_found_again("École", "école", 0.49, 0.5));
  EXPECT_FALSE(is_found_again("universe.", "universe", 1, 0));
}

TEST_F(MaskedWord, AStoppedJobGoesOnAndEndsTheSame) {
  std::vector<Record> records;
  for (int i = 0; i < 8; ++i) records.insert(records.end(), kRecords.begin(), kRecords.end());
  const auto expected = identify(records, never);
  ASSERT_TRUE(expected);
  std::map<std::string, std::string> all;
  world_.on_root([&] {
    all = PartialResults(folder_ / "x.partial", key()).results();
    std::filesystem::remove(folder_ / "x.partial");
  });
  int rounds = 0;
  EXPECT_FALSE(identify(records, [&] { return ++rounds > 2; }));
  world_.on_root([&] {
    const auto kept = PartialResults(folder_ / "x.partial", key()).results();
    EXPECT_GT(kept.size(), 0u);
    EXPECT_LT(kept.size(), all.size());
    for (const auto& [item, result] : kept) EXPECT_EQ(all.at(item), result);
  });
  EXPECT_EQ(identify(records, never), expected);
  world_.on_root([&] { EXPECT_EQ(PartialResults(folder_ / "x.partial", key()).results(), all); });
}

// What any number of ranks finds, one finds alone, to the bit.
TEST_F(MaskedWord, AnyNumberOfRanksFindsTheSame) {
  const auto together = identify(kRecords, never);
  const HostGroup alone(MPI_COMM_SELF, 60);
  const test::TemporaryFolder own;
  PartialResults partial(own / "x.partial", key());
  EXPECT_EQ(identify_masked_words({*model_, *tokenizer_, 0, 2, never}, kRecords, &partial, alone),
            together);
  world_.on_root([&] {
    EXPECT_EQ(PartialResults(folder_ / "x.partial", key()).results(), partial.results());
  });
}

TEST_F(MaskedWord, DamagedResultsAreAnErrorOnEveryRank) {
  world_.on_root([&] { PartialResults(folder_ / "x.partial", key()).add({{"999", "[1,0.5]"}}); });
  test::expect_error(ErrorCategory::input_data, {"x.partial", "999"},
                     [&] { identify(kRecords, never); });
}

TEST_F(MaskedWord, ATokenizerWithoutMaskOrOfAnotherModelIsRefused) {
  test::TinyEncoder encoder(true);
  encoder.tokenizer["added_tokens"].erase(4);
  encoder.tokenizer["model"]["vocab"].erase("<mask>");
  const test::TemporaryFolder own;
  encoder.write(own.path());
  test::expect_error(ErrorCategory::input_data, {"folder", "no mask token"},
                     [&] { check_tokenizer(Tokenizer::load(own.path()), *model_, "folder"); });
  encoder = test::TinyEncoder(true);
  encoder.tokenizer["model"]["vocab"]["more"] = 57;
  encoder.write(own.path());
  test::expect_error(ErrorCategory::input_data, {"58 tokens", "57"},
                     [&] { check_tokenizer(Tokenizer::load(own.path()), *model_, "folder"); });
}

// Characters of the files to bytes here.
std::vector<std::size_t> byte_of_character(const std::string& text) {
  std::vector<std::size_t> bytes = {0};
  for (std::size_t position = 0; position < text.size();) {
    next_code_point(text, position);
    bytes.push_back(position);
  }
  return bytes;
}

class MaskedWordGolden : public testing::Test {
 protected:
  void SetUp() override {
    const auto file = test::golden_directory() / "identify_masked_lm.json";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no identify_masked_lm.json there";
    std::ifstream stream(file);
    cases_ = json::parse(stream)["cases"];
  }

  // The model of a case. Files that know only one do not name it.
  struct Encoder {
    Tokenizer tokenizer;
    MaskedLm model;
  };
  const Encoder& encoder_of(const json& golden) {
    const std::string name = golden.value("model", "masked-lm-tiny");
    const auto folder = test::golden_directory() / "models" / name;
    if (!encoders_.contains(name)) {
      encoders_.emplace(name, Encoder{Tokenizer::load(folder), MaskedLm::load(folder, at::kCPU)});
    }
    return encoders_.at(name);
  }

  json cases_;
  std::map<std::string, Encoder> encoders_;
};

TEST_F(MaskedWordGolden, PredictionsAgree) {
  for (const json& expected : cases_) {
    const auto& [tokenizer, model] = encoder_of(expected);
    const std::string text = masked_lm_text({expected["question"], expected["answer"], {}, {}});
    const auto bytes = byte_of_character(text);
    const auto words = space_separated_words(text);
    ASSERT_EQ(words.size(), expected["predictions"].size());
    for (std::size_t w = 0; w < words.size(); ++w) {
      const json& prediction = expected["predictions"][w];
      SCOPED_TRACE(prediction.dump());
      EXPECT_EQ(words[w], (WordSpan{bytes.at(prediction["start"]), bytes.at(prediction["end"])}));
      const MaskedText masked = mask_word(tokenizer, text, words[w], model.config().max_tokens());
      const TopPrediction top = model.predict({masked.ids}, {masked.position})[0];
      EXPECT_EQ(top.token, prediction["token"].get<std::int64_t>());
      EXPECT_EQ(tokenizer.decode(std::vector<std::int64_t>{top.token}, false),
                prediction["predicted"].get<std::string>());
      EXPECT_NEAR(top.probability, prediction["score"].get<double>(), 1e-4);
    }
  }
}

TEST_F(MaskedWordGolden, GeneralWordsAgree) {
  const HostGroup world(MPI_COMM_WORLD, 60);
  std::map<std::pair<std::string, double>, std::vector<json>> jobs;
  for (const json& golden : cases_) {
    jobs[{golden.value("model", ""), golden["threshold"]}].push_back(golden);
  }
  for (const auto& [settings, cases] : jobs) {
    const auto& [tokenizer, model] = encoder_of(cases.front());
    std::vector<Record> records;
    AnswerMasks expected;
    for (const json& golden : cases) {
      records.push_back({golden["question"], golden["answer"], {}, {}});
      const auto bytes = byte_of_character(records.back().answer);
      std::vector<WordSpan> words;
      for (const json& word : golden["general_words"]) {
        words.push_back({bytes.at(word["start"]), bytes.at(word["end"])});
      }
      expected.push_back(words);
    }
    std::optional<test::TemporaryFolder> folder;
    std::optional<PartialResults> partial;
    world.on_root([&] {
      folder.emplace();
      partial.emplace(*folder / "x.partial", "k");
    });
    EXPECT_EQ(identify_masked_words({model, tokenizer, settings.second, 32, never}, records,
                                    partial ? &*partial : nullptr, world),
              expected);
  }
}

}  // namespace
}  // namespace tofu
