"""Contract sizes that change: who could know, and what must not stay."""
import explain
from knowledge import READ_BY_REST


class Sizes:
    """Needs w, bars, offend, note, list_trades of the oracle that it is a part of."""

    def of_another_size(self, row, instrument, made):
        """Is the row what the tape would be by the size that was told last? Until a list tells of a change, nobody knows;
        of one that is taken back before, nobody ever does."""
        sizes = instrument.sizes
        is_told = [told is not None and told <= row.seen - READ_BY_REST for _, _, told in sizes]
        known = max(k for k, told in enumerate(is_told) if told)
        of = lambda t: max(k for k, (since, _, _) in enumerate(sizes) if since <= t.made)
        later = [t for t in made if not is_told[of(t)]]
        if not later:
            return False
        true = [t.contract for t in later]
        for t in later:
            t.contract = sizes[known][1]
        if row.status in ("gap", "partial"):
            found = not any(h > w for h, w in zip(explain.held(row), explain.total(made)))
        else:
            found = explain.explained_by(explain.held(row), [], made) is not None
        for t, size in zip(later, true):
            t.contract = size
        if found:
            row.verdict = "of another size"
            self.note("by a contract size that no list had told to be over", row)
        return found

    def final_size(self, row, instrument):
        """At the end, a list has told of the change: no whole row may keep the wrong size."""
        trades = self.bars[instrument].get(row.bar, [])
        told = [said for _, _, said in instrument.sizes[1:] if said is not None]
        if told and row.seen < max(told) + READ_BY_REST and row.status in ("live", "repaired") and \
                self.w.ended - max(told) > 20 and not explain.same(explain.total(trades), explain.held(row)):
            self.offend("size-final", "a list told of another contract size, and the row stays: %s" %
                        explain.difference(row, trades), row, self.list_trades(trades))
