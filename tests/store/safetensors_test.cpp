#include "store/safetensors.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "store/file_test_support.hpp"
#include "store/safetensors_writer.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

std::string with_header(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

class Safetensors : public testing::Test {
 protected:
  // The file's header and data, and what the error has to say.
  void expect_refused(const std::string& bytes, const std::vector<std::string>& parts) {
    test::write_bytes(folder_ / "model.safetensors", bytes);
    std::vector<std::string> all = parts;
    all.emplace_back("model.safetensors");
    expect_error(ErrorCategory::input_data, all,
                 [&] { SafetensorsFile::open(folder_ / "model.safetensors"); });
  }

  test::TemporaryFolder folder_;
};

TEST_F(Safetensors, WrittenFileComesBackInParts) {
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
  const std::vector<std::uint16_t> halves = {0x3F80, 0x4000};
  const fs::path path = folder_ / "model.safetensors";
  write_safetensors(path, {{{"model.w", DataType::f32, {2, 3}}, weights.data()},
                           {{"empty", DataType::f32, {0, 4}}, nullptr},
                           {{"bias é", DataType::bf16, {2}}, halves.data()}});
  const SafetensorsFile file = SafetensorsFile::open(path);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  ASSERT_EQ(file.tensors().size(), 3U);
  const TensorInfo* tensor = file.find("model.w");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(tensor->type, DataType::f32);
  EXPECT_EQ(tensor->offset % 8, 0);
  std::vector<float> part(3);
  file.read(*tensor, 2, 3, part.data());
  EXPECT_EQ(part, (std::vector<float>{3, 4, 5}));
  file.read(*tensor, 6, 0, part.data());
  std::vector<std::uint16_t> read_halves(2);
  file.read(*file.find("bias é"), 0, 2, read_halves.data());
  EXPECT_EQ(read_halves, halves);
  EXPECT_EQ(file.find("none"), nullptr);
  expect_error(ErrorCategory::input_data, {"model.w", "outside"},
               [&] { file.read(*tensor, 4, 3, part.data()); });
}

TEST_F(Safetensors, WriterTakesPiecesAndAnswersForTheirSum) {
  const fs::path path = folder_ / "model.safetensors";
  const std::vector<std::uint8_t> bytes = {1, 2, 3, 4};
  {
    SafetensorsWriter writer(path, {{"a", DataType::u8, {3}}, {"b", DataType::u8, {1}}});
    writer.write(bytes.data(), 2);
    EXPECT_THROW(writer.commit(), std::logic_error);
    EXPECT_THROW(writer.write(bytes.data(), 3), std::logic_error);
  }
  EXPECT_TRUE(test::names_in(folder_.path()).empty());
  EXPECT_THROW(SafetensorsWriter(path, {{"a", DataType::u8, {3}}, {"a", DataType::u8, {1}}}),
               std::invalid_argument);
  SafetensorsWriter writer(path, {{"a", DataType::u8, {3}}, {"b", DataType::u8, {1}}});
  writer.write(bytes.data(), 2);
  writer.write(bytes.data() + 2, 2);
  writer.commit();
  const SafetensorsFile file = SafetensorsFile::open(path);
  std::vector<std::uint8_t> read(3);
  file.read(*file.find("a"), 0, 3, read.data());
  EXPECT_EQ(read, (std::vector<std::uint8_t>{1, 2, 3}));
}

TEST_F(Safetensors, TruncatedFileSaysHowMuchIsMissing) {
  const std::vector<float> weights(100, 1.5F);
  const fs::path path = folder_ / "whole.safetensors";
  write_safetensors(path, {{{"w", DataType::f32, {100}}, weights.data()}});
  const std::string whole = test::read_bytes(path);
  expect_refused(whole.substr(0, whole.size() - 17), {"half-downloaded", "17 of"});
  expect_refused(whole.substr(0, 20), {"half-downloaded", "header"});
  expect_refused(whole.substr(0, 5), {"not a safetensors file"});
  expect_refused("", {"empty"});
  expect_refused(whole + "!!", {"2 bytes more"});
}

TEST_F(Safetensors, ForeignFilesAreNamed) {
  expect_refused("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", {"git lfs pull"});
  expect_refused("<html><body>404</body></html>", {"HTML"});
  std::string zip_archive("PK\x03\x04", 4);
  zip_archive.append(100, 'x');
  expect_refused(zip_archive, {"PyTorch"});
  expect_refused("just some text that is longer", {"not a safetensors file"});
  expect_refused(with_header("[1, 2]", ""), {"not a safetensors file"});
  expect_refused(with_header("{\"a\": ", ""), {"not JSON"});
}

TEST_F(Safetensors, HeaderLengthThatLooksLikeAnotherFormatIsRead) {
  // 0x3C20 bytes: the file begins with " <", as a page may.
  std::string header = R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  header.resize(0x3C20, ' ');
  test::write_bytes(folder_ / "a.safetensors", with_header(header, "x"));
  EXPECT_EQ(SafetensorsFile::open(folder_ / "a.safetensors").tensors().size(), 1U);
}

TEST_F(Safetensors, InconsistentHeadersAreRefused) {
  const auto header = [](const std::string& entries) { return "{" + entries + "}"; };
  const std::string eight(8, 'x');
  expect_refused(
      with_header(header(R"("w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), eight),
      {"\"w\"", "8 bytes do not fit F32 [3]"});
  expect_refused(
      with_header(header(R"("w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), eight),
      {"\"w\"", "[8, 0]"});
  expect_refused(
      with_header(header(R"("w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), eight),
      {"\"w\"", "-2"});
  expect_refused(
      with_header(
          header(R"("w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]})"),
          eight),
      {"\"w\"", "impossible shape"});
  expect_refused(with_header(header(R"("w":{"dtype":"F32","shape":[2]})"), eight), {"\"w\""});
  expect_refused(with_header(header(R"("w":[1])"), eight), {"\"w\""});
  expect_refused(with_header(header(R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                                    R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]})"),
                             eight),
                 {"\"b\"", "overlap"});
  expect_refused(with_header(header(R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[6,8]})"),
                             eight),
                 {"\"b\"", "do not follow"});
  expect_refused(with_header(header(R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                                    R"("a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]})"),
                             eight),
                 {"\"a\"", "twice"});
  expect_refused(with_header(header(R"("__metadata__":{"format":1})"), ""), {"__metadata__"});
}

TEST_F(Safetensors, TypesThatAreNotReadAreNamedWhenRead) {
  test::write_bytes(
      folder_ / "a.safetensors",
      with_header(R"({"mask":{"dtype":"BOOL","shape":[],"data_offsets":[0,1]}})", "x"));
  const SafetensorsFile file = SafetensorsFile::open(folder_ / "a.safetensors");
  const TensorInfo* tensor = file.find("mask");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->dtype, "BOOL");
  EXPECT_EQ(tensor->type, std::nullopt);
  EXPECT_EQ(tensor->count, 1);
  char byte = 0;
  expect_error(ErrorCategory::input_data, {"mask", "BOOL"},
               [&] { file.read(*tensor, 0, 1, &byte); });
}

TEST_F(Safetensors, RealModelsOpen) {
  for (const auto& folder : fs::directory_iterator(test::golden_directory() / "models")) {
    const fs::path path = folder.path() / "model.safetensors";
    if (!fs::exists(path)) continue;
    const SafetensorsFile file = SafetensorsFile::open(path);
    EXPECT_FALSE(file.tensors().empty()) << path;
    for (const TensorInfo& tensor : file.tensors()) {
      ASSERT_TRUE(tensor.type.has_value()) << path << " " << tensor.name;
      std::vector<char> bytes(static_cast<std::size_t>(tensor.bytes));
      file.read(tensor, 0, tensor.count, bytes.data());
    }
  }
}

}  // namespace
}  // namespace tofu
