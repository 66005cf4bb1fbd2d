#include "store/hdf5_array.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>

#include "store/checksum.hpp"
#include "store/together.hpp"

namespace tofu {
namespace {

static_assert(std::endian::native == std::endian::little,
              "arrays are stored in little-endian order and moved without conversion");

constexpr const char* kChecksum = "checksum";

// A 16-bit floating-point type with the sign in bit 15, the exponent below it, the mantissa last.
Hdf5Handle float16_type(const Hdf5File& file, std::size_t exponent_bits, std::size_t bias) {
  Hdf5Handle type(check_hdf5(H5Tcopy(H5T_IEEE_F32LE), file, "/", "H5Tcopy"), H5Tclose);
  const std::size_t mantissa_bits = 15 - exponent_bits;
  check_hdf5(H5Tset_fields(type.id(), 15, mantissa_bits, exponent_bits, 0, mantissa_bits), file,
             "/", "H5Tset_fields");
  check_hdf5(H5Tset_size(type.id(), 2), file, "/", "H5Tset_size");
  check_hdf5(H5Tset_ebias(type.id(), bias), file, "/", "H5Tset_ebias");
  return type;
}

Hdf5Handle stored_type(const Hdf5File& file, DataType type) {
  const auto copy = [&](hid_t standard) {
    return Hdf5Handle(check_hdf5(H5Tcopy(standard), file, "/", "H5Tcopy"), H5Tclose);
  };
  switch (type) {
    case DataType::f16:
      return float16_type(file, 5, 15);
    case DataType::bf16:
      return float16_type(file, 8, 127);
    case DataType::i64:
      return copy(H5T_STD_I64LE);
    case DataType::u8:
      return copy(H5T_STD_U8LE);
    case DataType::f32:
      break;
  }
  return copy(H5T_IEEE_F32LE);
}

Hdf5Handle simple_space(const Hdf5File& file, const std::string& name,
                        const std::vector<std::int64_t>& shape) {
  const std::vector<hsize_t> dimensions(shape.begin(), shape.end());
  return Hdf5Handle(
      check_hdf5(H5Screate_simple(static_cast<int>(dimensions.size()), dimensions.data(), nullptr),
                 file, name, "H5Screate_simple"),
      H5Sclose);
}

Hdf5Handle open_array(const Hdf5File& file, const std::string& name) {
  if (!has_object(file, name)) {
    fail(ErrorCategory::input_data, "{}: there is no such dataset", file.where(name));
  }
  return Hdf5Handle(
      check_hdf5(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), file, name, "H5Dopen"), H5Dclose);
}

ArrayInfo info_of(const Hdf5File& file, const std::string& name, const Hdf5Handle& array) {
  const Hdf5Handle space(check_hdf5(H5Dget_space(array.id()), file, name, "H5Dget_space"),
                         H5Sclose);
  const int rank =
      check_hdf5(H5Sget_simple_extent_ndims(space.id()), file, name, "H5Sget_simple_extent_ndims");
  std::vector<hsize_t> dimensions(static_cast<std::size_t>(rank));
  check_hdf5(H5Sget_simple_extent_dims(space.id(), dimensions.data(), nullptr), file, name,
             "H5Sget_simple_extent_dims");
  ArrayInfo info;
  info.shape.assign(dimensions.begin(), dimensions.end());
  const Hdf5Handle type(check_hdf5(H5Dget_type(array.id()), file, name, "H5Dget_type"), H5Tclose);
  for (const DataType candidate :
       {DataType::f32, DataType::f16, DataType::bf16, DataType::i64, DataType::u8}) {
    if (H5Tequal(type.id(), stored_type(file, candidate).id()) > 0) {
      info.type = candidate;
      return info;
    }
  }
  fail(ErrorCategory::input_data, "{}: a dataset of a type that this program does not write",
       file.where(name));
}

// Checks what this rank says of its part. The parts are made by this program, but from shapes that
// may come from files.
void validate(const Hdf5File& file, const ArrayPart& part) {
  const std::string where = file.where(part.name);
  const std::int64_t total = element_count(part.shape, where);
  if (part.shape.empty() || part.shape.size() > 2) {
    fail(ErrorCategory::input_data, "{}: shape {}; arrays of one or two dimensions are supported",
         where, shape_text(part.shape));
  }
  if (part.first < 0 || part.count < 0 || part.count > total - part.first) {
    fail(ErrorCategory::input_data, "{}: elements [{}, {}+{}) are outside of shape {}", where,
         part.first, part.first, part.count, shape_text(part.shape));
  }
}

std::int64_t elements_per_call(DataType type, std::int64_t bytes_per_call) {
  return std::max<std::int64_t>(1, bytes_per_call / static_cast<std::int64_t>(byte_size(type)));
}

// How many calls every rank has to make: as many as the one that holds most.
std::int64_t agree_rounds(const Hdf5File& file, const ArrayPart& part,
                          std::int64_t bytes_per_call) {
  const std::int64_t per_call = elements_per_call(part.type, bytes_per_call);
  std::int64_t rounds = (part.count + per_call - 1) / per_call;
  if (file.communicator() != MPI_COMM_NULL) {
    check_store_mpi(
        MPI_Allreduce(MPI_IN_PLACE, &rounds, 1, MPI_INT64_T, MPI_MAX, file.communicator()),
        "MPI_Allreduce");
  }
  return rounds;
}

// The checksum of the whole array. Fails if the ranks together do not hold as many elements as the
// array has: part of it would stay unwritten or unverified.
std::uint64_t whole_checksum(const Hdf5File& file, const ArrayPart& part, const void* data) {
  std::array<std::uint64_t, 2> sums = {
      checksum_part(data, byte_size(part.type), part.first, part.count),
      static_cast<std::uint64_t>(part.count)};
  if (file.communicator() != MPI_COMM_NULL) {
    check_store_mpi(
        MPI_Allreduce(MPI_IN_PLACE, sums.data(), 2, MPI_UINT64_T, MPI_SUM, file.communicator()),
        "MPI_Allreduce");
  }
  const std::int64_t total = element_count(part.shape, part.name);
  if (sums[1] != static_cast<std::uint64_t>(total)) {
    fail(file.failure_category(), "{}: the ranks hold {} of {} elements", file.where(part.name),
         sums[1], total);
  }
  return sums[0];
}

// Selects the elements [first, first + count) of a row-major array: in two dimensions the rest of
// the first row, full rows, the beginning of the last row.
void select_elements(const Hdf5File& file, const ArrayPart& part, const Hdf5Handle& space,
                     std::int64_t first, std::int64_t count) {
  check_hdf5(H5Sselect_none(space.id()), file, part.name, "H5Sselect_none");
  const std::int64_t columns = part.shape.size() == 2 ? part.shape[1] : 1;
  const auto add = [&](std::int64_t row, std::int64_t rows, std::int64_t column,
                       std::int64_t width) {
    const hsize_t start[2] = {static_cast<hsize_t>(row), static_cast<hsize_t>(column)};
    const hsize_t extent[2] = {static_cast<hsize_t>(rows), static_cast<hsize_t>(width)};
    check_hdf5(H5Sselect_hyperslab(space.id(), H5S_SELECT_OR, start, nullptr, extent, nullptr),
               file, part.name, "H5Sselect_hyperslab");
  };
  while (count > 0) {
    const std::int64_t row = first / columns;
    const std::int64_t column = first % columns;
    const bool partial = column > 0 || count < columns;
    const std::int64_t rows = partial ? 1 : count / columns;
    const std::int64_t width = partial ? std::min(columns - column, count) : columns;
    add(row, rows, column, width);
    first += rows * width;
    count -= rows * width;
  }
}

// Calls move(memory space, file space, offset in bytes) `rounds` times, with empty selections when
// this rank has nothing (left).
template <typename Move>
void for_each_round(const Hdf5File& file, const ArrayPart& part, const Hdf5Handle& array,
                    std::int64_t rounds, std::int64_t bytes_per_call, const Move& move) {
  const Hdf5Handle space(check_hdf5(H5Dget_space(array.id()), file, part.name, "H5Dget_space"),
                         H5Sclose);
  const std::int64_t per_call = elements_per_call(part.type, bytes_per_call);
  for (std::int64_t round = 0; round < rounds; ++round) {
    const std::int64_t done = std::min(part.count, round * per_call);
    const std::int64_t count = std::min(per_call, part.count - done);
    select_elements(file, part, space, part.first + done, count);
    const Hdf5Handle memory = simple_space(file, part.name, {count});
    if (count == 0) {
      check_hdf5(H5Sselect_none(memory.id()), file, part.name, "H5Sselect_none");
    }
    move(memory.id(), space.id(), static_cast<std::size_t>(done) * byte_size(part.type));
  }
}

Hdf5Handle transfer_properties(const Hdf5File& file, const std::string& name) {
  Hdf5Handle transfer(check_hdf5(H5Pcreate(H5P_DATASET_XFER), file, name, "H5Pcreate"), H5Pclose);
  if (file.communicator() != MPI_COMM_NULL) {
    check_hdf5(H5Pset_dxpl_mpio(transfer.id(), H5FD_MPIO_COLLECTIVE), file, name,
               "H5Pset_dxpl_mpio");
  }
  return transfer;
}

Hdf5Handle create_array(const Hdf5File& file, const ArrayPart& part, const Hdf5Handle& type) {
  const std::string& name = part.name;
  const Hdf5Handle links(check_hdf5(H5Pcreate(H5P_LINK_CREATE), file, name, "H5Pcreate"), H5Pclose);
  check_hdf5(H5Pset_create_intermediate_group(links.id(), 1), file, name,
             "H5Pset_create_intermediate_group");
  const Hdf5Handle layout(check_hdf5(H5Pcreate(H5P_DATASET_CREATE), file, name, "H5Pcreate"),
                          H5Pclose);
  // Every element is written: filling the space with zeros first would be a second write.
  check_hdf5(H5Pset_fill_time(layout.id(), H5D_FILL_TIME_NEVER), file, name, "H5Pset_fill_time");
  const Hdf5Handle space = simple_space(file, name, part.shape);
  return Hdf5Handle(check_hdf5(H5Dcreate2(file.id(), name.c_str(), type.id(), space.id(),
                                          links.id(), layout.id(), H5P_DEFAULT),
                               file, name, "H5Dcreate"),
                    H5Dclose);
}

template <typename Element>
constexpr DataType data_type_of() {
  if constexpr (std::is_same_v<Element, float>) return DataType::f32;
  if constexpr (std::is_same_v<Element, std::int64_t>) return DataType::i64;
  return DataType::u8;
}

void collect_arrays(const Hdf5File& file, const std::string& group,
                    std::vector<std::string>& names) {
  for (const std::string& child : list_children(file, group)) {
    const std::string path = (group == "/" ? "" : group) + "/" + child;
    const Hdf5Handle object(
        check_hdf5(H5Oopen(file.id(), path.c_str(), H5P_DEFAULT), file, path, "H5Oopen"), H5Oclose);
    if (H5Iget_type(object.id()) == H5I_GROUP) {
      collect_arrays(file, path, names);
    } else {
      names.push_back(path);
    }
  }
}

}  // namespace

void write_array_part(const Hdf5File& file, const ArrayPart& part, const void* data,
                      std::int64_t bytes_per_call) {
  run_together(file.communicator(), [&] { validate(file, part); });
  const std::uint64_t checksum = whole_checksum(file, part, data);
  const std::int64_t rounds = agree_rounds(file, part, bytes_per_call);
  run_together(file.communicator(), [&] {
    const Hdf5Handle type = stored_type(file, part.type);
    const Hdf5Handle array = create_array(file, part, type);
    write_uint_attribute(file, part.name, kChecksum, checksum);
    const Hdf5Handle transfer = transfer_properties(file, part.name);
    for_each_round(file, part, array, rounds, bytes_per_call,
                   [&](hid_t memory, hid_t space, std::size_t offset) {
                     const char* bytes = static_cast<const char*>(data) + offset;
                     check_hdf5(
                         H5Dwrite(array.id(), type.id(), memory, space, transfer.id(), bytes), file,
                         part.name, "H5Dwrite");
                   });
  });
}

void read_array_part(const Hdf5File& file, const ArrayPart& part, void* data,
                     std::int64_t bytes_per_call) {
  run_together(file.communicator(), [&] { validate(file, part); });
  const std::int64_t rounds = agree_rounds(file, part, bytes_per_call);
  std::uint64_t stored_checksum = 0;
  run_together(file.communicator(), [&] {
    const Hdf5Handle array = open_array(file, part.name);
    const ArrayInfo info = info_of(file, part.name, array);
    if (info.shape != part.shape || info.type != part.type) {
      fail(ErrorCategory::input_data, "{}: {} {} in the file, but {} {} is wanted",
           file.where(part.name), name_of(info.type), shape_text(info.shape), name_of(part.type),
           shape_text(part.shape));
    }
    stored_checksum = read_uint_attribute(file, part.name, kChecksum);
    const Hdf5Handle type = stored_type(file, part.type);
    const Hdf5Handle transfer = transfer_properties(file, part.name);
    for_each_round(file, part, array, rounds, bytes_per_call,
                   [&](hid_t memory, hid_t space, std::size_t offset) {
                     char* bytes = static_cast<char*>(data) + offset;
                     check_hdf5(H5Dread(array.id(), type.id(), memory, space, transfer.id(), bytes),
                                file, part.name, "H5Dread");
                   });
  });
  if (whole_checksum(file, part, data) != stored_checksum) {
    fail(ErrorCategory::input_data,
         "{}: the data is damaged (its checksum differs from the one stored with it); use another "
         "copy of the file",
         file.where(part.name));
  }
}

ArrayInfo array_info(const Hdf5File& file, const std::string& name) {
  return info_of(file, name, open_array(file, name));
}

std::vector<std::string> list_arrays(const Hdf5File& file, const std::string& group) {
  std::vector<std::string> names;
  collect_arrays(file, group, names);
  std::sort(names.begin(), names.end());
  return names;
}

template <typename Element>
void write_vector(const Hdf5File& file, const std::string& name, std::span<const Element> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  write_array_part(file, {name, {count}, data_type_of<Element>(), 0, count}, values.data());
}

template <typename Element>
std::vector<Element> read_vector(const Hdf5File& file, const std::string& name) {
  const ArrayInfo info = array_info(file, name);
  const std::int64_t count = element_count(info.shape, file.where(name));
  std::vector<Element> values(static_cast<std::size_t>(count));
  read_array_part(file, {name, {count}, data_type_of<Element>(), 0, count}, values.data());
  return values;
}

template void write_vector(const Hdf5File&, const std::string&, std::span<const float>);
template void write_vector(const Hdf5File&, const std::string&, std::span<const std::int64_t>);
template void write_vector(const Hdf5File&, const std::string&, std::span<const std::uint8_t>);
template std::vector<float> read_vector(const Hdf5File&, const std::string&);
template std::vector<std::int64_t> read_vector(const Hdf5File&, const std::string&);
template std::vector<std::uint8_t> read_vector(const Hdf5File&, const std::string&);

}  // namespace tofu
