#include "e2e/mini_jobs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "store/hdf5_array.hpp"
#include "support/reference.hpp"

namespace tofu::test {
namespace {

namespace fs = std::filesystem;

Arguments with(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Arguments mini_job(const std::string& command, const fs::path& save_dir) {
  const fs::path config = source_directory() / "configs" / "mini" /
                          ((command == "evaluate" ? "eval" : command) + ".yaml");
  return {command,
          "--config",
          config.string(),
          "--device",
          "cpu",
          "data_path=" + mini_data().string(),
          "save_dir=" + save_dir.string(),
          "overwrite_dir=false"};
}

const fs::path& process_scratch() {
  static const ScratchFolder folder;
  return folder.path();
}

fs::path made_once(const std::string& name, const Arguments& command) {
  expect_success(run_program(1, command));
  return process_scratch() / name;
}

}  // namespace

fs::path mini_data() {
  return source_directory() / "data" / "mini";
}

fs::path mini_model() {
  return mini_data() / "model";
}

Arguments finetune(const fs::path& save_dir, const Arguments& more) {
  return with(mini_job("finetune", save_dir),
              with({"model_path=" + mini_model().string(), "max_steps=6", "log_every=1"}, more));
}

Arguments forget(const fs::path& model, const fs::path& save_dir, const Arguments& more) {
  return with(
      mini_job("forget", save_dir),
      with({"model_path=" + model.string(), "masks_path=" + mini_data().string(), "forget_loss=tpo",
            "max_steps=3", "eval.retain_result=", "eval.ds_size=8", "eval.max_new_tokens=4"},
           more));
}

Arguments evaluate(const fs::path& model, const fs::path& save_dir, const Arguments& more) {
  return with(
      mini_job("evaluate", save_dir),
      with({"model_path=" + model.string(), "eval.ds_size=8", "eval.max_new_tokens=4"}, more));
}

const fs::path& trained_model() {
  static const fs::path path =
      made_once("trained", finetune(process_scratch() / "trained")) / "checkpoint";
  return path;
}

const fs::path& trained_hf_model() {
  static const fs::path path = made_once("hf", {"convert", "from=" + trained_model().string(),
                                                "to=" + (process_scratch() / "hf").string()});
  return path;
}

const fs::path& prepared_data() {
  static const fs::path path =
      made_once("mini.h5", {"prepare", "data_path=" + mini_data().string(),
                            "masks_path=" + mini_data().string(),
                            "out=" + (process_scratch() / "mini.h5").string()});
  return path;
}

std::vector<nlohmann::json> read_log(const fs::path& run) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(run / "log.jsonl");
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::vector<double> read_losses(const fs::path& run) {
  std::vector<double> losses;
  for (const auto& line : read_log(run)) losses.push_back(line.at("loss").get<double>());
  return losses;
}

void expect_near(const std::vector<double>& values, const std::vector<double>& expected,
                 double tolerance) {
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << i;
  }
}

nlohmann::json read_json(const fs::path& file) {
  return nlohmann::json::parse(read_text(file));
}

void expect_same_parameters(const fs::path& a, const fs::path& b) {
  const Hdf5File file_a = Hdf5File::open(a);
  const Hdf5File file_b = Hdf5File::open(b);
  const auto names = list_arrays(file_a, "/parameters");
  EXPECT_FALSE(names.empty());
  EXPECT_EQ(names, list_arrays(file_b, "/parameters"));
  for (const std::string& name : names) {
    const auto read = [&](const Hdf5File& file) {
      const ArrayInfo info = array_info(file, name);
      std::int64_t count = 1;
      for (const std::int64_t length : info.shape) count *= length;
      std::string bytes(static_cast<std::size_t>(count) * byte_size(info.type), '\0');
      read_array_part(file, {name, info.shape, info.type, 0, count}, bytes.data());
      return bytes;
    };
    EXPECT_TRUE(read(file_a) == read(file_b)) << name;
  }
}

void damage_array(const fs::path& file, const std::string& name) {
  haddr_t offset = HADDR_UNDEF;
  hsize_t bytes = 0;
  {
    const Hdf5File opened = Hdf5File::open(file);
    const Hdf5Handle dataset(H5Dopen2(opened.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
    offset = H5Dget_offset(dataset.id());
    bytes = H5Dget_storage_size(dataset.id());
  }
  ASSERT_NE(offset, HADDR_UNDEF) << name;
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset + bytes / 2));
  const char changed = static_cast<char>(stream.peek() ^ 0x10);
  stream.seekp(static_cast<std::streamoff>(offset + bytes / 2));
  stream.put(changed).flush();
  ASSERT_TRUE(stream) << file;
}

void copy_folder(const fs::path& folder, const fs::path& to) {
  fs::copy(folder, to, fs::copy_options::recursive);
}

}  // namespace tofu::test
