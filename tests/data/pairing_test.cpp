#include "data/pairing.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "support/reference.hpp"

namespace tofu {
namespace {

TEST(Pairing, PublishedDependsOnTheIndexAlone) {
  const auto first = draw_partners(PairingMode::published, 1, 0, 7, 3960, 100);
  const auto later = draw_partners(PairingMode::published, 2, 5, 7, 3960, 100);
  EXPECT_EQ(first.retain, later.retain);
  EXPECT_EQ(first.refusal, later.refusal);
}

TEST(Pairing, PerEpochDependsOnSeedEpochAndIndex) {
  const auto draw = [](std::uint64_t seed, std::int64_t epoch, std::int64_t index) {
    return draw_partners(PairingMode::per_epoch, seed, epoch, index, 1'000'000, 1'000'000);
  };
  const auto base = draw(1, 0, 7);
  EXPECT_EQ(base.retain, draw(1, 0, 7).retain);
  EXPECT_EQ(base.refusal, draw(1, 0, 7).refusal);
  for (const auto& other : {draw(2, 0, 7), draw(1, 1, 7), draw(1, 0, 8)}) {
    EXPECT_NE(base.retain, other.retain);
    EXPECT_NE(base.refusal, other.refusal);
  }
}

TEST(Pairing, EveryPartnerIsDrawn) {
  for (const auto mode : {PairingMode::published, PairingMode::per_epoch}) {
    std::set<std::int64_t> retain;
    std::set<std::int64_t> refusals;
    for (std::int64_t index = 0; index < 400; ++index) {
      const auto partners = draw_partners(mode, 1001, 3, index, 5, 7);
      retain.insert(partners.retain);
      refusals.insert(partners.refusal);
    }
    EXPECT_EQ(retain, (std::set<std::int64_t>{0, 1, 2, 3, 4}));
    EXPECT_EQ(refusals, (std::set<std::int64_t>{0, 1, 2, 3, 4, 5, 6}));
  }
}

TEST(Pairing, WithoutRefusalsThereIsNone) {
  EXPECT_EQ(draw_partners(PairingMode::published, 1, 0, 3, 10, 0).refusal, -1);
  EXPECT_EQ(draw_partners(PairingMode::per_epoch, 1, 0, 3, 10, 0).refusal, -1);
}

TEST(Pairing, WhatCannotBePairedIsAnError) {
  EXPECT_THROW(draw_partners(PairingMode::published, 1, 0, 3, 0, 100), Error);
  EXPECT_THROW(draw_partners(PairingMode::per_epoch, 1, 0, 3, 10, -1), Error);
  EXPECT_THROW(draw_partners(PairingMode::published, 1, 0, 3, std::int64_t{1} << 32, 1), Error);
  EXPECT_THROW(parse_pairing_mode("per-epoch"), Error);
  EXPECT_EQ(parse_pairing_mode("per_epoch"), PairingMode::per_epoch);
}

TEST(PairingGolden, AgreesWithThePublishedProgram) {
  const auto path = test::golden_directory() / "pairing.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference cases";
  const auto file = nlohmann::json::parse(std::ifstream(path));
  ASSERT_FALSE(file.at("cases").empty());
  for (const auto& expected : file.at("cases")) {
    const auto& retain = expected.at("retain_index");
    const auto& refusals = expected.at("refusal_index");
    for (std::size_t i = 0; i < retain.size(); ++i) {
      const auto partners =
          draw_partners(PairingMode::published, 0, 0, static_cast<std::int64_t>(i),
                        expected.at("n_retain"), expected.at("n_refusals"));
      EXPECT_EQ(partners.retain, retain[i].get<std::int64_t>()) << "sample " << i;
      EXPECT_EQ(partners.refusal, refusals[i].get<std::int64_t>()) << "sample " << i;
    }
  }
}

}  // namespace
}  // namespace tofu
