// The published TOFU data and masks, where the machine has them.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "data/data_test_support.hpp"
#include "data/dataset.hpp"
#include "store/file_test_support.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

TEST(PublishedDataGolden, SurvivesPreparation) {
  const auto shared = test::shared_directory();
  if (shared.empty() || !std::filesystem::exists(shared / "tofu")) {
    GTEST_SKIP() << "the published data is not on this machine";
  }
  const test::TemporaryFolder folder;
  const Dataset published = Dataset::open(shared / "tofu", shared / "masks");
  write_dataset_file(folder / "tofu.h5", published.content());
  const Dataset prepared = Dataset::open(folder / "tofu.h5");

  ASSERT_FALSE(published.splits().empty());
  EXPECT_EQ(prepared.splits(), published.splits());
  for (const std::string& split : published.splits()) {
    const auto records = published.records(split);
    test::expect_same_records(prepared.records(split), records);
    if (!split.ends_with("_perturbed")) continue;
    for (const Record& record : records) {
      EXPECT_FALSE(record.perturbed_answers.empty()) << split;
    }
  }
  EXPECT_EQ(prepared.refusals(), published.refusals());
  EXPECT_EQ(prepared.available_masks(), published.available_masks());
  for (const MaskName& name : published.available_masks()) {
    const AnswerMasks masks = published.masks(name.split, name.classifier);
    EXPECT_EQ(prepared.masks(name.split, name.classifier), masks);
    std::size_t words = 0;
    for (const auto& answer : masks) words += answer.size();
    EXPECT_GT(words, 0U) << name.split << " " << name.classifier;
  }
}

}  // namespace
}  // namespace tofu
