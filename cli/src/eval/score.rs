//! Pure: ranking metrics (recall, MRR, nDCG).
//!
//! A passage is relevant or not. recall@k is the share of the expected passages among the first k; MRR the mean
//! of 1 / rank of the first relevant one (Voorhees, TREC-8, 1999); nDCG@10 discounts by log2(rank + 1) and
//! compares with the best order (Järvelin and Kekäläinen, 2002). All are means over questions.

use serde::Serialize;

/// Ranks that count.
pub(crate) const DEPTH: usize = 10;

/// Metrics of one ranking, or their means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Score {
    /// recall@1.
    pub(crate) recall_1: f64,
    /// recall@5.
    pub(crate) recall_5: f64,
    /// recall@10.
    pub(crate) recall_10: f64,
    /// 1 / rank of the first relevant passage; 0 if none is among the first ten.
    pub(crate) mrr: f64,
    /// nDCG@10.
    pub(crate) ndcg_10: f64,
}

/// Scores a ranking. `ranking` holds the index of the expected passage at each rank, if any; `expected` is the number of
/// expected passages. Repeated passages count once.
pub(crate) fn score_ranking(ranking: &[Option<usize>], expected: usize) -> Score {
    let mut seen: Vec<usize> = Vec::new();
    let mut is_new: Vec<bool> = Vec::new();
    for passage in ranking.iter().take(DEPTH) {
        let new = passage.filter(|passage| !seen.contains(passage));
        seen.extend(new);
        is_new.push(new.is_some());
    }
    let recall = |k: usize| is_new.iter().take(k).filter(|new| **new).count() as f64 / expected.max(1) as f64;
    let discount = |index: usize| 1.0 / (index as f64 + 2.0).log2();
    let gain: f64 =
        is_new.iter().enumerate().filter(|(_, new)| **new).map(|(index, _)| discount(index)).sum();
    let best: f64 = (0..expected.min(DEPTH)).map(discount).sum();
    Score {
        recall_1: recall(1),
        recall_5: recall(5),
        recall_10: recall(10),
        mrr: is_new.iter().position(|new| *new).map_or(0.0, |index| 1.0 / (index as f64 + 1.0)),
        ndcg_10: if best > 0.0 { gain / best } else { 0.0 },
    }
}

/// Mean of scores; all zeros for an empty input.
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
    let mean = |sum: f64| if count > 0.0 { sum / count } else { 0.0 };
    Score {
        recall_1: mean(sum.recall_1),
        recall_5: mean(sum.recall_5),
        recall_10: mean(sum.recall_10),
        mrr: mean(sum.mrr),
        ndcg_10: mean(sum.ndcg_10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_match_their_definitions() {
        let first = score_ranking(&[Some(0), None], 1);
        assert_eq!((first.recall_1, first.mrr, first.ndcg_10), (1.0, 1.0, 1.0));
        let third = score_ranking(&[None, None, Some(0)], 1);
        assert_eq!((third.recall_1, third.recall_5, third.mrr), (0.0, 1.0, 1.0 / 3.0));
        assert!((third.ndcg_10 - 0.5).abs() < 1e-12, "{third:?}");
        // One of two passages, at rank 2: 1 / log2(3) of 1 + 1 / log2(3).
        let half = score_ranking(&[None, Some(1)], 2);
        assert_eq!(half.recall_10, 0.5);
        assert!((half.ndcg_10 - 0.630_93 / 1.630_93).abs() < 1e-5, "{half:?}");
    }

    #[test]
    fn repeats_count_once_and_ranks_beyond_ten_not_at_all() {
        assert_eq!(score_ranking(&[Some(0), Some(0)], 2).recall_5, 0.5);
        let late: Vec<Option<usize>> = (0..11).map(|place| (place == 10).then_some(0)).collect();
        assert_eq!(score_ranking(&late, 1), Score::default());
        assert_eq!(mean([]), Score::default());
    }
}
