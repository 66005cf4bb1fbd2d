// Arrays of HDF5 files, in full or each rank its part. Every array carries an attribute `checksum`
// (uint64, see checksum.hpp) that reading verifies. f16 and bf16 are HDF5 floating-point types of
// 16 bits, which h5dump and h5py read as numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/data_type.hpp"
#include "store/hdf5.hpp"

namespace tofu {

// The elements [first, first + count) in row-major order of an array of one or two dimensions.
struct ArrayPart {
  std::string name;  // path inside the file; groups above it are made
  std::vector<std::int64_t> shape;
  DataType type = DataType::f32;
  std::int64_t first = 0;
  std::int64_t count = 0;  // 0: this rank holds nothing
};

// HDF5 before 1.14 fails when a rank moves 2 GiB or more in one MPI-IO call.
inline constexpr std::int64_t kBytesPerCall = std::int64_t{1} << 29;

// Creates the array and writes it. Collective over the file's communicator; name, shape and type
// are the same on all ranks, whose parts cover the array exactly once, in any order. Each call
// moves up to `bytes_per_call` bytes of a rank. Error{file_system}.
void write_array_part(const Hdf5File& file, const ArrayPart& part, const void* data,
                      std::int64_t bytes_per_call = kBytesPerCall);

// Reads the part to `data`; collective and covering as above, in whatever parts it was written.
// Error{input_data} on every rank if there is no such array, its shape or type is another, or its
// content is not what was written.
void read_array_part(const Hdf5File& file, const ArrayPart& part, void* data,
                     std::int64_t bytes_per_call = kBytesPerCall);

struct ArrayInfo {
  std::vector<std::int64_t> shape;
  DataType type = DataType::f32;
};
ArrayInfo array_info(const Hdf5File& file, const std::string& name);

// The paths of all arrays in a group and the groups inside it, sorted.
std::vector<std::string> list_arrays(const Hdf5File& file, const std::string& group);

// One-dimensional arrays in full, in a file of this process alone. Element is float, std::int64_t
// or std::uint8_t.
template <typename Element>
void write_vector(const Hdf5File& file, const std::string& name, std::span<const Element> values);
template <typename Element>
std::vector<Element> read_vector(const Hdf5File& file, const std::string& name);

}  // namespace tofu
