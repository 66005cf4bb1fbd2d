#include "comm/communicator.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.hpp"
#include "comm/groups.hpp"
#include "comm/mpi_call.hpp"
#include "comm/session.hpp"

namespace tofu {
namespace {

// First of all, that MPI itself works here: if this fails the environment is to blame.
TEST(Smoke, RanksReachEachOther) {
  int rank = 0;
  int size = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  int sum = 0;
  MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  EXPECT_EQ(sum, size * (size - 1) / 2);
}

class CommunicatorTest : public testing::Test {
 protected:
  std::unique_ptr<Communicator> comm_ = make_mpi_communicator(MPI_COMM_WORLD, 30);
  HostGroup group_{MPI_COMM_WORLD, 30};
};

TEST_F(CommunicatorTest, AllGatherIsInRankOrder) {
  const auto ranks = static_cast<std::size_t>(comm_->size());
  const std::vector<float> part = {static_cast<float>(comm_->rank()), -1.0F};
  std::vector<float> whole(2 * ranks);
  comm_->all_gather(part.data(), whole.data(), 2 * sizeof(float)).wait();
  for (std::size_t r = 0; r < ranks; ++r) {
    EXPECT_EQ(whole[2 * r], static_cast<float>(r));
    EXPECT_EQ(whole[2 * r + 1], -1.0F);
  }
}

TEST_F(CommunicatorTest, ReduceScatterSumsEachPart) {
  const auto ranks = static_cast<std::size_t>(comm_->size());
  std::vector<float> whole(3 * ranks);
  std::iota(whole.begin(), whole.end(), static_cast<float>(comm_->rank()));
  std::vector<float> part(3);
  comm_->reduce_scatter_sum(whole.data(), part.data(), 3).wait();
  const auto rank_sum = static_cast<float>(ranks * (ranks - 1) / 2);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto index = static_cast<float>(static_cast<std::size_t>(comm_->rank()) * 3 + i);
    EXPECT_EQ(part[i], index * static_cast<float>(ranks) + rank_sum);
  }
}

TEST_F(CommunicatorTest, TwoOperationsMayBeUnderWay) {
  const auto ranks = static_cast<std::size_t>(comm_->size());
  std::vector<float> first(ranks), second(ranks), sums(ranks, 2.0F);
  const float one = 1, two = 2;
  Pending a = comm_->all_gather(&one, first.data(), sizeof(float));
  Pending b = comm_->all_gather(&two, second.data(), sizeof(float));
  b.wait();
  a.wait();
  comm_->all_reduce_sum(sums.data(), ranks).wait();
  for (std::size_t r = 0; r < ranks; ++r) {
    EXPECT_EQ(first[r], 1.0F);
    EXPECT_EQ(second[r], 2.0F);
    EXPECT_EQ(sums[r], 2.0F * static_cast<float>(ranks));
  }
}

TEST_F(CommunicatorTest, StringsOfAnyLengthAreGathered) {
  const auto texts = group_.all_gather(std::string(static_cast<std::size_t>(group_.rank()), 'x'));
  for (std::size_t r = 0; r < texts.size(); ++r) EXPECT_EQ(texts[r].size(), r);
}

TEST_F(CommunicatorTest, AnErrorOfOneRankIsThrownOnAll) {
  const int last = group_.size() - 1;
  try {
    group_.together([&] {
      if (group_.rank() == last) fail(ErrorCategory::file_system, "disk full on {}", last);
    });
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 4);
    EXPECT_EQ(std::string(error.what()), fmt::format("disk full on {}", last));
  }
}

TEST_F(CommunicatorTest, AMissingPeerIsNoticed) {
  if (group_.size() == 1) return;
  // The last rank receives what nobody sends.
  if (group_.rank() == group_.size() - 1) {
    int value = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Irecv(&value, 1, MPI_INT, 0, 77, group_.comm(), &request);
    EXPECT_THROW(wait_all(&request, 1, 0.2, "test"), Error);
    MPI_Cancel(&request);
    MPI_Request_free(&request);
  }
  group_.barrier();
}

TEST(Groups, ShardAndReplicaGroupsCoverTheWorld) {
  for (const char* kind : {"world", "node"}) {
    const Groups groups = make_groups(MPI_COMM_WORLD, kind, DeviceKind::cpu, 30);
    EXPECT_EQ(groups.shard->size() * groups.replica->size(), groups.world->size()) << kind;
  }
}

}  // namespace
}  // namespace tofu
