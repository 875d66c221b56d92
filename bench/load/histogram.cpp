#include "histogram.hpp"

#include <algorithm>
#include <bit>

#include "json.hpp"

namespace paperboy::load {

std::size_t Histogram::step_of(std::uint64_t value) {
  if (value < kEach) return value;
  const auto power = static_cast<unsigned>(std::bit_width(value)) - 1;
  return (power - kBits + 1) * kEach +
         ((value >> (power - kBits)) & (kEach - 1));
}

std::uint64_t Histogram::middle_of(std::size_t step) {
  if (step < kEach) return step;
  const std::size_t shift = step / kEach - 1;
  const std::uint64_t least = (kEach + step % kEach) << shift;
  return least + (std::uint64_t{1} << shift) / 2;
}

void Histogram::add(std::uint64_t value) {
  ++steps_[step_of(value)];
  ++count_;
  sum_ += static_cast<double>(value);
  most_ = std::max(most_, value);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < kSteps; ++i) steps_[i] += other.steps_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  most_ = std::max(most_, other.most_);
}

void Histogram::clear() {
  std::ranges::fill(steps_, 0);
  count_ = most_ = 0;
  sum_ = 0;
}

std::uint64_t Histogram::percentile(double per_cent) const {
  if (count_ == 0) return 0;
  const auto before = std::min(
      static_cast<std::uint64_t>(per_cent / 100 * static_cast<double>(count_)),
      count_ - 1);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kSteps; ++i) {
    seen += steps_[i];
    if (seen > before) return std::min(middle_of(i), most_);
  }
  return most_;
}

std::string Histogram::json() const {
  const auto us = [](std::uint64_t ns) {
    return static_cast<double>(ns) / 1e3;
  };
  const double mean = count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
  Json json;
  json.add("count", count_);
  json.add("mean_us", mean / 1e3, 1);
  json.add("p50_us", us(percentile(50)), 1);
  json.add("p90_us", us(percentile(90)), 1);
  json.add("p99_us", us(percentile(99)), 1);
  json.add("p999_us", us(percentile(99.9)), 1);
  json.add("max_us", us(most_), 1);
  return json.text();
}

}  // namespace paperboy::load
