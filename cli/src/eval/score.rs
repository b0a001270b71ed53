//! Pure: how good rankings are, in the measures of the field.
//!
//! A passage is relevant or not. recall@k is the share of the expected passages among the first k; MRR the mean
//! of 1 / rank of the first relevant one (Voorhees, TREC-8, 1999); nDCG@10 discounts by log2(rank + 1) and
//! compares with the best order (Järvelin and Kekäläinen, 2002). All are means over questions.

use serde::Serialize;

/// How far down a ranking is read.
pub(crate) const DEPTH: usize = 10;

/// The measures of one ranking, or the means of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Score {
    /// recall@1.
    pub(crate) recall_1: f64,
    /// recall@5.
    pub(crate) recall_5: f64,
    /// recall@10.
    pub(crate) recall_10: f64,
    /// 1 / rank of the first relevant passage, 0 when there is none among the first ten.
    pub(crate) mrr: f64,
    /// nDCG@10.
    pub(crate) ndcg_10: f64,
}

/// The measures of a ranking: for each place the expected passage that stands there, by its number, and how many
/// are expected. What comes twice counts once.
pub(crate) fn of(places: &[Option<usize>], expected: usize) -> Score {
    let mut seen: Vec<usize> = Vec::new();
    let mut fresh: Vec<bool> = Vec::new();
    for place in places.iter().take(DEPTH) {
        let new = place.filter(|passage| !seen.contains(passage));
        seen.extend(new);
        fresh.push(new.is_some());
    }
    let recall = |k: usize| fresh.iter().take(k).filter(|new| **new).count() as f64 / expected.max(1) as f64;
    let discount = |index: usize| 1.0 / (index as f64 + 2.0).log2();
    let gained: f64 =
        fresh.iter().enumerate().filter(|(_, new)| **new).map(|(index, _)| discount(index)).sum();
    let best: f64 = (0..expected.min(DEPTH)).map(discount).sum();
    Score {
        recall_1: recall(1),
        recall_5: recall(5),
        recall_10: recall(10),
        mrr: fresh.iter().position(|new| *new).map_or(0.0, |index| 1.0 / (index as f64 + 1.0)),
        ndcg_10: if best > 0.0 { gained / best } else { 0.0 },
    }
}

/// The means; zeros of nothing.
pub(crate) fn mean<'a>(scores: impl IntoIterator<Item = &'a Score>) -> Score {
    let (mut sum, mut count) = (Score::default(), 0.0_f64);
    for score in scores {
        sum.recall_1 += score.recall_1;
        sum.recall_5 += score.recall_5;
        sum.recall_10 += score.recall_10;
        sum.mrr += score.mrr;
        sum.ndcg_10 += score.ndcg_10;
        count += 1.0;
    }
    let of = |sum: f64| if count > 0.0 { sum / count } else { 0.0 };
    Score {
        recall_1: of(sum.recall_1),
        recall_5: of(sum.recall_5),
        recall_10: of(sum.recall_10),
        mrr: of(sum.mrr),
        ndcg_10: of(sum.ndcg_10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measures_are_those_of_the_field() {
        let first = of(&[Some(0), None], 1);
        assert_eq!((first.recall_1, first.mrr, first.ndcg_10), (1.0, 1.0, 1.0));
        let third = of(&[None, None, Some(0)], 1);
        assert_eq!((third.recall_1, third.recall_5, third.mrr), (0.0, 1.0, 1.0 / 3.0));
        assert!((third.ndcg_10 - 0.5).abs() < 1e-12, "{third:?}");
        // Of two, one is found, second: 1 / log2(3), of 1 + 1 / log2(3).
        let half = of(&[None, Some(1)], 2);
        assert_eq!(half.recall_10, 0.5);
        assert!((half.ndcg_10 - 0.630_93 / 1.630_93).abs() < 1e-5, "{half:?}");
    }

    #[test]
    fn what_comes_twice_counts_once_and_what_comes_late_not_at_all() {
        assert_eq!(of(&[Some(0), Some(0)], 2).recall_5, 0.5);
        let late: Vec<Option<usize>> = (0..11).map(|place| (place == 10).then_some(0)).collect();
        assert_eq!(of(&late, 1), Score::default());
        assert_eq!(mean([]), Score::default());
    }
}
