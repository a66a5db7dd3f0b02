// Decides for every trade of one instrument: is it new, known already, or did ids go missing before it?
// Live feed, overlapping connections and history go through the same sequencer, so a trade counts once.
// Pure; owned by the io thread (or by replay).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cvdd/base/types.hpp"
#include "cvdd/ledger/recent_ids.hpp"

namespace cvdd {

class Sequencer {
 public:
  enum class Verdict : std::uint8_t {
    next,          // new; `hole_count` ids from `hole_first` on are missing before it (0: none)
    late,          // new; it fills (part of) a hole
    duplicate,     // seen before
    other_series,  // belongs to a stream that is not this instrument's source
    straddles,     // some of its fills were counted already: not to be counted; the others are missing (hole_*)
  };
  struct Decision {
    Verdict verdict = Verdict::next;
    std::uint64_t hole_first = 0;
    std::uint64_t hole_count = 0;
  };

  // A message that covers the ids [first, last]. The first series seen is the instrument's source; the other is ignored
  // from then on (they would count twice). Blocks have their own ids and are only checked for duplicates.
  [[nodiscard]] Decision decide(Series series, std::uint64_t first, std::uint64_t last);
  [[nodiscard]] Decision decide(Series series, std::uint64_t id) { return decide(series, id, id); }
  // Of ids without an order: seen before or not, as far as memory goes (RecentIds).
  [[nodiscard]] Verdict decide_opaque(OpaqueId id, Timestamp time);
  [[nodiscard]] bool has_seen(OpaqueId id) const { return seen_ && seen_->contains(id); }
  // Opaque ids of trades that are newer are known for certain to have been seen, or not.
  [[nodiscard]] Timestamp seen_since() const { return seen_ ? seen_->forgotten_until() : Timestamp{}; }
  // The exchange says that `newest` is its newest id: are there any before it that we lack? (`next` with a hole or
  // not.) Before the first trade it is where the counting begins.
  [[nodiscard]] Decision told(Series series, std::uint64_t newest);

  // Continues after an id known from the files, so that what was traded meanwhile shows as a hole; or begins anew
  // behind this one, where the exchange begins a new numbering.
  void resume_after(Series series, std::uint64_t last_id);

  // These older ids are missing too, and may come.
  void expect(std::uint64_t first, std::uint64_t last) { remember_hole(first, last); }

  // These ids are known of, though their trades will not come; false if they were not all waited for.
  [[nodiscard]] bool cover(std::uint64_t first, std::uint64_t last) { return fill(first, last) == Verdict::late; }

  // Whether any id of [first, last] is still waited for.
  [[nodiscard]] bool waits_for(std::uint64_t first, std::uint64_t last) const;
  [[nodiscard]] bool waits() const { return !holes_.empty(); }
  [[nodiscard]] std::optional<std::uint64_t> last_id() const { return last_; }
  [[nodiscard]] std::optional<Series> source() const { return source_; }

 private:
  struct Range {
    std::uint64_t first, last;  // inclusive
  };
  [[nodiscard]] Decision up_to(std::uint64_t first, std::uint64_t last);
  [[nodiscard]] Verdict fill(std::uint64_t first, std::uint64_t last);
  void remember_hole(std::uint64_t first, std::uint64_t last);

  std::optional<Series> source_;
  std::optional<std::uint64_t> last_;
  std::optional<std::uint64_t> last_block_;
  std::unique_ptr<RecentIds> seen_;  // of opaque ids alone
  // Ids that may still come, oldest first. Bounded: beyond `holes_max` the oldest is given up, and a trade of it
  // that comes after all is taken for a duplicate; its hole stays counted as missing.
  std::vector<Range> holes_;
  static constexpr std::size_t holes_max = 64;
};

}  // namespace cvdd
