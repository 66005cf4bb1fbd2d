#include "store/hdf5.hpp"

#include <gtest/gtest.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "store/file_test_support.hpp"
#include "store/hdf5_array.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

// A file with one array of recognisable content.
void write_sample(const fs::path& path) {
  Hdf5File file = Hdf5File::create(path);
  const std::string text = "recognisable content";
  write_vector<std::uint8_t>(
      file, "/splits/full/bytes",
      std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  file.close();
}

TEST(Hdf5, AttributesComeBack) {
  const test::TemporaryFolder folder;
  const std::string large(100'000, 'x');  // beyond what HDF5's oldest format takes
  {
    Hdf5File file = Hdf5File::create(folder / "a.h5");
    create_group(file, "/a/b");
    write_string_attribute(file, "/", "version", "0.1.0 – é");
    write_string_attribute(file, "/a/b", "empty", "");
    write_string_attribute(file, "/a/b", "large", large);
    write_int_attribute(file, "/a", "step", -7);
    write_uint_attribute(file, "/a", "seed", UINT64_MAX);
    write_real_attribute(file, "/a", "lr", 1e-5);
    file.close();
  }
  const Hdf5File file = Hdf5File::open(folder / "a.h5");
  EXPECT_EQ(read_string_attribute(file, "/", "version"), "0.1.0 – é");
  EXPECT_EQ(read_string_attribute(file, "/a/b", "empty"), "");
  EXPECT_EQ(read_string_attribute(file, "/a/b", "large"), large);
  EXPECT_EQ(read_int_attribute(file, "/a", "step"), -7);
  EXPECT_EQ(read_uint_attribute(file, "/a", "seed"), UINT64_MAX);
  EXPECT_EQ(read_real_attribute(file, "/a", "lr"), 1e-5);
  EXPECT_EQ(list_attributes(file, "/a"), (std::vector<std::string>{"lr", "seed", "step"}));
  EXPECT_FALSE(has_attribute(file, "/a", "nothing"));
  expect_error(ErrorCategory::input_data, {"a.h5", "/a", "nothing"},
               [&] { read_int_attribute(file, "/a", "nothing"); });
  expect_error(ErrorCategory::input_data, {"a.h5", "/a@step"},
               [&] { read_string_attribute(file, "/a", "step"); });
  expect_error(ErrorCategory::input_data, {"/@version"},
               [&] { read_int_attribute(file, "/", "version"); });
}

TEST(Hdf5, ListsGroupsAndArrays) {
  const test::TemporaryFolder folder;
  Hdf5File file = Hdf5File::create(folder / "a.h5");
  write_vector<float>(file, "/b/two", std::vector<float>{1, 2});
  write_vector<std::int64_t>(file, "/b/one", std::vector<std::int64_t>{1});
  write_vector<std::uint8_t>(file, "/a", std::vector<std::uint8_t>{});
  EXPECT_EQ(list_children(file, "/"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(list_arrays(file, "/"), (std::vector<std::string>{"/a", "/b/one", "/b/two"}));
  EXPECT_TRUE(has_object(file, "/b/two"));
  EXPECT_FALSE(has_object(file, "/c/two"));
  EXPECT_FALSE(has_object(file, "/b/three"));
  EXPECT_EQ(read_vector<float>(file, "/b/two"), (std::vector<float>{1, 2}));
  EXPECT_EQ(read_vector<std::uint8_t>(file, "/a"), std::vector<std::uint8_t>{});
}

TEST(Hdf5, ArraysOfEveryTypeComeBack) {
  const test::TemporaryFolder folder;
  const std::vector<DataType> types = {DataType::f32, DataType::f16, DataType::bf16, DataType::i64,
                                       DataType::u8};
  const std::string bytes = "0123456789abcdef0123456789abcdef0123456789abcdef";
  {
    Hdf5File file = Hdf5File::create(folder / "a.h5");
    for (const DataType type : types) {
      write_array_part(file, {std::string(name_of(type)), {2, 3}, type, 0, 6}, bytes.data());
    }
    file.close();
  }
  const Hdf5File file = Hdf5File::open(folder / "a.h5");
  for (const DataType type : types) {
    const std::string name(name_of(type));
    const ArrayInfo info = array_info(file, name);
    EXPECT_EQ(info.type, type) << name;
    EXPECT_EQ(info.shape, (std::vector<std::int64_t>{2, 3}));
    std::string read(6 * byte_size(type), '\0');
    read_array_part(file, {name, {2, 3}, type, 0, 6}, read.data());
    EXPECT_EQ(read, bytes.substr(0, read.size())) << name;
  }
}

TEST(Hdf5, BrainFloatIsANumberToOtherReaders) {
  const test::TemporaryFolder folder;
  const std::vector<std::uint16_t> values = {0x3F80, 0xC040, 0x0000};  // 1, -3, 0
  Hdf5File file = Hdf5File::create(folder / "a.h5");
  write_array_part(file, {"w", {3}, DataType::bf16, 0, 3}, values.data());
  const Hdf5Handle array(H5Dopen2(file.id(), "w", H5P_DEFAULT), H5Dclose);
  std::vector<float> floats(3);
  ASSERT_GE(H5Dread(array.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, floats.data()), 0);
  EXPECT_EQ(floats, (std::vector<float>{1, -3, 0}));
}

TEST(Hdf5, DamagedContentIsNamed) {
  const test::TemporaryFolder folder;
  write_sample(folder / "a.h5");
  test::damage_bytes(folder / "a.h5", "recognisable content");
  const Hdf5File file = Hdf5File::open(folder / "a.h5");
  expect_error(ErrorCategory::input_data, {"a.h5", "/splits/full/bytes", "damaged"},
               [&] { read_vector<std::uint8_t>(file, "/splits/full/bytes"); });
}

TEST(Hdf5, DamageAnywhereIsFoundOrHarmless) {
#ifdef __SANITIZE_ADDRESS__
  // HDF5 1.10 itself loses memory when it refuses a damaged superblock.
  const __lsan::ScopedDisabler no_leak_check;
#endif
  const test::TemporaryFolder folder;
  write_sample(folder / "a.h5");
  const std::string whole = test::read_bytes(folder / "a.h5");
  int found = 0;
  for (std::size_t place = 0; place < whole.size(); place += 3) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(~damaged[place]);
    test::write_bytes(folder / "b.h5", damaged);
    try {
      const Hdf5File file = Hdf5File::open(folder / "b.h5");
      const auto bytes = read_vector<std::uint8_t>(file, "/splits/full/bytes");
      EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "recognisable content") << place;
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), 3) << error.what();
      ++found;
    }
  }
  EXPECT_GT(found, 50);
}

TEST(Hdf5, TruncatedFileIsRefused) {
  const test::TemporaryFolder folder;
  write_sample(folder / "a.h5");
  fs::resize_file(folder / "a.h5", fs::file_size(folder / "a.h5") / 2);
  expect_error(ErrorCategory::input_data, {"a.h5", "damaged or incomplete"}, [&] {
    const Hdf5File file = Hdf5File::open(folder / "a.h5");
    read_vector<std::uint8_t>(file, "/splits/full/bytes");
  });
}

TEST(Hdf5, ForeignAndMissingFilesAreNamed) {
  const test::TemporaryFolder folder;
  test::write_bytes(folder / "empty.h5", "");
  test::write_bytes(folder / "pointer.h5", "version https://git-lfs.github.com/spec/v1\n");
  test::write_bytes(folder / "other.h5", "something");
  EXPECT_FALSE(is_hdf5_file(folder / "empty.h5"));
  EXPECT_FALSE(is_hdf5_file(folder / "pointer.h5"));
  const auto open = [&](const char* name) {
    return [&folder, name] { Hdf5File::open(folder / name); };
  };
  expect_error(ErrorCategory::input_data, {"empty.h5", "empty"}, open("empty.h5"));
  expect_error(ErrorCategory::input_data, {"pointer.h5", "git-lfs"}, open("pointer.h5"));
  expect_error(ErrorCategory::input_data, {"other.h5", "not an HDF5 file"}, open("other.h5"));
  expect_error(ErrorCategory::file_system, {"absent.h5", "No such file"}, open("absent.h5"));
  expect_error(ErrorCategory::file_system, {"absent", "No such file"},
               [&] { Hdf5File::create(folder / "absent" / "a.h5"); });
}

TEST(Hdf5, WrongNameShapeOrTypeIsNamed) {
  const test::TemporaryFolder folder;
  write_sample(folder / "a.h5");
  EXPECT_TRUE(is_hdf5_file(folder / "a.h5"));
  const Hdf5File file = Hdf5File::open(folder / "a.h5");
  std::vector<float> data(100);
  const auto read = [&](const ArrayPart& part) {
    return [&file, &data, part] { read_array_part(file, part, data.data()); };
  };
  expect_error(ErrorCategory::input_data, {"a.h5", "/none", "no such dataset"},
               read({"/none", {2}, DataType::f32, 0, 2}));
  expect_error(ErrorCategory::input_data, {"/splits/full/bytes", "U8 [20]", "U8 [21]"},
               read({"/splits/full/bytes", {21}, DataType::u8, 0, 21}));
  expect_error(ErrorCategory::input_data, {"/splits/full/bytes", "F32"},
               read({"/splits/full/bytes", {20}, DataType::f32, 0, 20}));
  expect_error(ErrorCategory::input_data, {"outside"},
               read({"/splits/full/bytes", {20}, DataType::u8, 10, 11}));
  expect_error(ErrorCategory::input_data, {"10 of 20 elements"},
               read({"/splits/full/bytes", {20}, DataType::u8, 0, 10}));
  expect_error(ErrorCategory::input_data, {"/splits/none"},
               [&] { list_children(file, "/splits/none"); });
}

TEST(Hdf5, ImpossibleShapesAreRefused) {
  expect_error(ErrorCategory::input_data, {"w", "[-1, 3]"}, [] { element_count({-1, 3}, "w"); });
  expect_error(ErrorCategory::input_data, {"w"}, [] {
    element_count({std::int64_t{1} << 40, std::int64_t{1} << 40}, "w");
  });
}

}  // namespace
}  // namespace tofu
