#include "report/run_report.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/error.hpp"

namespace tofu {
namespace {

class RunReportTest : public testing::Test {
 protected:
  RunReportTest() { std::filesystem::create_directories(folder_); }
  ~RunReportTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::filesystem::path& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("tofu_report_test-" + std::to_string(getpid()));
};

TEST_F(RunReportTest, ShowsTheCourseAndEveryEvaluation) {
  write("log.jsonl",
        "{\"step\":1,\"loss\":4.0,\"step_s\":2.0,\"tokens\":100}\n"
        "{\"step\":2,\"loss\":2.0,\"step_s\":1.0,\"tokens\":100}\nhalf a li");
  write("checkpoint-1/aggregate_stat.txt", "Model Utility: 0.5\n");
  write("checkpoint-2/aggregate_stat.txt", "Model Utility: 0.25\nForget Quality: 1e-05\n");
  const std::string text = run_report(folder_);
  EXPECT_NE(text.find("steps 1 to 2, loss 4 to 2"), std::string::npos) << text;
  EXPECT_NE(text.find("0.25"), std::string::npos);
  EXPECT_NE(text.find("1e-05"), std::string::npos);
  EXPECT_LT(text.find("0.5"), text.find("0.25"));
}

TEST_F(RunReportTest, AFolderWithoutARunIsRefused) {
  EXPECT_THROW(run_report(folder_), Error);
  EXPECT_THROW(run_report(folder_ / "absent"), Error);
}

}  // namespace
}  // namespace tofu
