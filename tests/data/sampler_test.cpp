#include "data/sampler.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.hpp"

namespace tofu {
namespace {

std::vector<SampleDraw> stream(std::uint64_t seed, std::int64_t steps, std::int64_t batch,
                               std::int64_t size) {
  std::vector<SampleDraw> draws;
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto part = global_batch_indices(seed, step, batch, size);
    draws.insert(draws.end(), part.begin(), part.end());
  }
  return draws;
}

TEST(Sampler, EveryEpochIsAPermutation) {
  std::map<std::int64_t, std::multiset<std::int64_t>> epochs;
  for (const auto& draw : stream(1001, 10, 4, 10)) epochs[draw.epoch].insert(draw.index);
  ASSERT_EQ(epochs.size(), 4u);
  for (const auto& [epoch, indices] : epochs) {
    EXPECT_EQ(indices, (std::multiset<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})) << epoch;
  }
}

TEST(Sampler, TheStreamDoesNotDependOnTheBatch) {
  EXPECT_EQ(stream(5, 12, 5, 7), stream(5, 4, 15, 7));
  EXPECT_EQ(stream(5, 12, 5, 7), stream(5, 60, 1, 7));
}

TEST(Sampler, ABatchMayExceedTheDataSet) {
  const auto batch = global_batch_indices(3, 0, 7, 2);
  ASSERT_EQ(batch.size(), 7u);
  EXPECT_EQ(batch.front().epoch, 0);
  EXPECT_EQ(batch.back().epoch, 3);
  EXPECT_EQ(global_batch_indices(3, 4, 3, 1).back(), (SampleDraw{14, 0}));
}

TEST(Sampler, SeedsAndEpochsDiffer) {
  const auto order = [](std::uint64_t seed, std::int64_t epoch) {
    std::vector<std::int64_t> indices;
    for (const auto& draw : global_batch_indices(seed, epoch, 50, 50)) {
      indices.push_back(draw.index);
    }
    return indices;
  };
  EXPECT_NE(order(1, 0), order(2, 0));
  EXPECT_NE(order(1, 0), order(1, 1));
  EXPECT_NE(order(1, 1), order(2, 0));
}

// The order is part of what a seed means: resumed runs and other machines rely on it.
TEST(Sampler, TheOrderOfASeedIsFixed) {
  std::vector<std::int64_t> indices;
  for (const auto& draw : global_batch_indices(1001, 0, 8, 8)) indices.push_back(draw.index);
  EXPECT_EQ(indices, (std::vector<std::int64_t>{3, 4, 0, 5, 2, 6, 1, 7}));
}

TEST(Sampler, WhatCannotBeSampledIsAnError) {
  EXPECT_THROW(global_batch_indices(1, 0, 4, 0), Error);
  EXPECT_THROW(global_batch_indices(1, 0, 0, 4), Error);
  EXPECT_THROW(global_batch_indices(1, -1, 4, 4), Error);
}

}  // namespace
}  // namespace tofu
