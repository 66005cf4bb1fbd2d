#include "identify/partial_results.hpp"

#include <gtest/gtest.h>

#include "store/file_test_support.hpp"

namespace tofu {
namespace {

using Results = std::map<std::string, std::string>;

TEST(PartialResults, KeepsWhatWasAdded) {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.partial";
  {
    PartialResults results(path, "key");
    EXPECT_TRUE(results.results().empty());
    results.add({{"1", "é\n\""}, {"2", "b"}});
    results.add({{"2", "c"}});
  }
  EXPECT_EQ(PartialResults(path, "key").results(), (Results{{"1", "é\n\""}, {"2", "c"}}));
}

TEST(PartialResults, ALineThatWasCutShortIsLeftOut) {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.partial";
  PartialResults(path, "key").add({{"1", "a"}, {"2", "b"}});
  const std::string bytes = test::read_bytes(path);
  test::write_bytes(path, bytes.substr(0, bytes.size() - 4));
  PartialResults again(path, "key");
  EXPECT_EQ(again.results(), (Results{{"1", "a"}}));
  // What comes next does not stick to the broken line.
  again.add({{"3", "c"}});
  EXPECT_EQ(PartialResults(path, "key").results(), (Results{{"1", "a"}, {"3", "c"}}));
}

TEST(PartialResults, OfAnotherJobAreNotTaken) {
  const test::TemporaryFolder folder;
  const auto path = folder / "x.partial";
  PartialResults(path, "key").add({{"1", "a"}});
  EXPECT_TRUE(PartialResults(path, "other").results().empty());
  test::write_bytes(path, "{\"results_of\"");
  EXPECT_TRUE(PartialResults(path, "key").results().empty());
}

TEST(PartialResults, AFileThatCannotBeWrittenIsAnError) {
  const test::TemporaryFolder folder;
  test::expect_error(ErrorCategory::file_system, {"none"},
                     [&] { PartialResults(folder / "none/x.partial", "key"); });
}

}  // namespace
}  // namespace tofu
