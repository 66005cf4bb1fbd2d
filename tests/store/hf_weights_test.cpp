#include "store/hf_weights.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "store/file_test_support.hpp"
#include "store/safetensors_writer.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

class HfWeightsTest : public testing::Test {
 protected:
  void SetUp() override {
    write_tensor("part-1.safetensors", "embed", 1);
    write_tensor("part-2.safetensors", "head", 3);
  }
  void write_tensor(const std::string& file, const std::string& name, float first) {
    const std::vector<float> values = {first, first + 1};
    write_safetensors(folder_ / file, {{{name, DataType::f32, {2}}, values.data()}});
  }
  void write_index(const std::string& weight_map) {
    test::write_bytes(folder_ / "model.safetensors.index.json",
                      "{\"metadata\": {\"total_size\": 16}, \"weight_map\": " + weight_map + "}");
  }
  void expect_refused(const std::vector<std::string>& parts) {
    expect_error(ErrorCategory::input_data, parts, [&] { HfWeights::open(folder_.path()); });
  }

  test::TemporaryFolder folder_;
};

TEST_F(HfWeightsTest, ReadsTheFilesOfAnIndex) {
  write_index(R"({"embed": "part-1.safetensors", "head": "part-2.safetensors"})");
  const HfWeights weights = HfWeights::open(folder_.path());
  EXPECT_EQ(weights.names(), (std::vector<std::string>{"embed", "head"}));
  float value = 0;
  weights.read("head", 1, 1, &value);
  EXPECT_EQ(value, 4);
  EXPECT_EQ(weights.find("none"), nullptr);
  expect_error(ErrorCategory::input_data, {folder_.path().string(), "none"},
               [&] { weights.at("none"); });
}

TEST_F(HfWeightsTest, ReadsASingleFile) {
  write_tensor("model.safetensors", "w", 5);
  float value = 0;
  HfWeights::open(folder_.path()).read("w", 0, 1, &value);
  EXPECT_EQ(value, 5);
}

TEST_F(HfWeightsTest, FollowsLinksToItsFilesAsAHubCacheHasThem) {
  fs::create_directory(folder_ / "snapshot");
  fs::create_symlink(folder_ / "part-1.safetensors", folder_ / "snapshot" / "model.safetensors");
  EXPECT_NE(HfWeights::open(folder_ / "snapshot").find("embed"), nullptr);
}

TEST_F(HfWeightsTest, RefusesAnIndexThatPointsOutsideOfTheFolder) {
  for (const char* name : {"../part-1.safetensors", "/etc/passwd", "..", "", "a\\\\b"}) {
    write_index(R"({"embed": ")" + std::string(name) + R"("})");
    expect_refused({"model.safetensors.index.json", "embed", "a file of this folder"});
  }
  write_index(R"({"embed": 3})");
  expect_refused({"embed"});
}

TEST_F(HfWeightsTest, RefusesAnIndexThatDoesNotFitItsFiles) {
  write_index(R"({"embed": "part-1.safetensors", "head": "part-3.safetensors"})");
  expect_refused({"part-3.safetensors", "missing"});
  write_index(R"({"embed": "part-2.safetensors", "head": "part-2.safetensors"})");
  expect_refused({"embed", "part-2.safetensors"});
  write_index(R"({"embed": "part-1.safetensors"})");
  EXPECT_NO_THROW(HfWeights::open(folder_.path()));
  write_tensor("part-2.safetensors", "embed", 3);
  write_index(R"({"embed": "part-1.safetensors", "head": "part-2.safetensors"})");
  expect_refused({"embed", "as well"});
  write_tensor("part-2.safetensors", "other", 3);
  write_index(R"({"embed": "part-1.safetensors", "head": "part-2.safetensors"})");
  expect_refused({"head"});
  write_index("{}");
  expect_refused({"weight_map"});
  test::write_bytes(folder_ / "model.safetensors.index.json", "{\"weight_map\": ");
  expect_refused({"model.safetensors.index.json", "not JSON"});
  test::write_bytes(folder_ / "model.safetensors.index.json", "<html>");
  expect_refused({"HTML"});
}

TEST_F(HfWeightsTest, SaysWhatAFolderLacks) {
  expect_refused({folder_.path().string(), "model.safetensors"});
  test::write_bytes(folder_ / "pytorch_model.bin", "PK");
  expect_refused({"pytorch_model.bin", "as safetensors"});
  expect_error(ErrorCategory::file_system, {"absent"},
               [&] { HfWeights::open(folder_ / "absent"); });
}

}  // namespace
}  // namespace tofu
